namespace Serve.Cli;

/// <summary>Output of a command: results go to <paramref name="Out"/>, everything else to <paramref name="Error"/>.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="IsInteractive">Whether the output is a terminal that can be redrawn.</param>
internal sealed record CommandConsole(TextWriter Out, TextWriter Error, bool IsInteractive)
{
    /// <summary>Creates a console on the standard streams of the process.</summary>
    public static CommandConsole Standard() =>
        new(Console.Out, Console.Error, !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or null or ""));

    /// <summary>Writes error messages, one per line. Control characters, which a message may contain from user code, are escaped.</summary>
    /// <param name="messages">The messages.</param>
    public void WriteErrors(params IEnumerable<string> messages)
    {
        foreach (var message in messages)
            Error.WriteLine("serve: " + string.Join('\n', message.Split('\n').Select(line => LogTextEscaper.Escape(line.TrimEnd('\r')))));
    }
}
