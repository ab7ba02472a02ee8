using System.Globalization;
using Serve.Controller.Builds;

namespace Serve.Cli.Display;

/// <summary>Tells builds as <c>building X … done in 2.1 s</c>, the path as short as the working directory allows.</summary>
/// <param name="console">Where.</param>
internal sealed class BuildProgressLine(CommandConsole console) : IBuildProgressListener
{
    /// <inheritdoc/>
    public void OnBuildStarted(string source)
    {
        console.Error.Write($"building {Short(source)} … ");
        console.Error.Flush();
    }

    /// <inheritdoc/>
    public void OnBuildSucceeded(string source, TimeSpan took) =>
        console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done in {took.TotalSeconds:0.0} s"));

    /// <inheritdoc/>
    public void OnBuildFailed(string source) => console.Error.WriteLine("failed");

    private static string Short(string source)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), source);
        return relative.StartsWith("..", StringComparison.Ordinal) ? source : relative;
    }
}
