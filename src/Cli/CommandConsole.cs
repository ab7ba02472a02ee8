namespace Serve.Cli;

/// <summary>Where a command writes: results to <paramref name="Out"/>, everything else to <paramref name="Error"/>.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="IsInteractive">Whether a person watches a terminal that can be redrawn.</param>
internal sealed record CommandConsole(TextWriter Out, TextWriter Error, bool IsInteractive)
{
    /// <summary>The process's own.</summary>
    /// <returns>A console on the standard streams.</returns>
    public static CommandConsole Standard() =>
        new(Console.Out, Console.Error, !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or null or ""));

    /// <summary>Tells what went wrong, each message on a line of its own.</summary>
    /// <param name="messages">The messages.</param>
    public void WriteErrors(params IEnumerable<string> messages)
    {
        foreach (var message in messages)
            Error.WriteLine($"serve: {message}");
    }
}
