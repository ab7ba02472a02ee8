using System.Globalization;
using Serve.Controller.Builds;

namespace Serve.Cli.Display;

/// <summary>Shows the progress of builds as <c>building X … done in 2.1 s</c>, with paths relative to the working directory.</summary>
/// <param name="console">Console of the command.</param>
internal sealed class BuildProgressLine(CommandConsole console) : IBuildProgressListener
{
    /// <inheritdoc/>
    public void OnBuildStarted(string source)
    {
        console.Error.Write($"building {Short(source)} … ");
        console.Error.Flush();
    }

    /// <inheritdoc/>
    public void OnBuildSucceeded(string source, TimeSpan duration) =>
        console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done in {duration.TotalSeconds:0.0} s"));

    /// <inheritdoc/>
    public void OnBuildFailed(string source) => console.Error.WriteLine("failed");

    private static string Short(string source)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), source);
        return relative.StartsWith("..", StringComparison.Ordinal) ? source : relative;
    }
}
