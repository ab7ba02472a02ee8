using System.Text;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Describes how a worker exited: exit code or signal, and its last output.</summary>
internal static class WorkerCrashReport
{
    private const int TailBytes = 64 * 1024;
    private const int MaxLines = 12;
    private const int MaxLineLength = 300;

    // Beginnings of the crash messages of the .NET runtime and glibc; a stack trace follows that may be long.
    private static readonly string[] LastWords =
        ["Process terminated.", "Stack overflow.", "Unhandled exception.", "Fatal error.", "Out of memory.", "You must install or update .NET", "Segmentation fault"];

    /// <summary>Describes an exit.</summary>
    /// <param name="exitCode">Exit code of the process.</param>
    /// <param name="lines">Its output.</param>
    /// <param name="wasReady">Whether it had started; the output of one that had not is all that explains why.</param>
    public static string Describe(int exitCode, IEnumerable<string> lines, bool wasReady = true)
    {
        var text = string.Join('\n', SelectRelevantLines(wasReady ? exitCode : 0, [.. lines]));
        return text.Length == 0 ? DescribeExitCode(exitCode) : $"{DescribeExitCode(exitCode)}\n{text}";
    }

    /// <summary>Reads the end of a log file; empty if it cannot be read.</summary>
    public static IReadOnlyList<string> ReadTail(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            stream.Seek(-Math.Min(stream.Length, TailBytes), SeekOrigin.End);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string DescribeExitCode(int exitCode) => exitCode switch
    {
        134 => "The worker was ended by SIGABRT.",
        137 => "The worker was ended by SIGKILL.",
        139 => "The worker was ended by SIGSEGV.",
        143 => "The worker was ended by SIGTERM.",
        > 128 and < 160 => $"The worker was ended by signal {exitCode - 128}.",
        _ => $"The worker exited with code {exitCode}.",
    };

    private static IEnumerable<string> SelectRelevantLines(int exitCode, string[] lines)
    {
        var last = Array.FindLastIndex(lines, line => LastWords.Any(words => line.StartsWith(words, StringComparison.Ordinal)));
        // Killed from outside: earlier log lines do not explain why.
        if (last < 0 && (exitCode is 137 or 143))
            return [];
        var chosen = last >= 0 ? lines.Skip(last).Take(MaxLines) : lines.TakeLast(MaxLines);
        return chosen.Select(line => line.Length <= MaxLineLength ? line : line[..MaxLineLength] + "…");
    }
}
