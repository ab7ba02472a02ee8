using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Serve.Controller.Logs;

/// <summary>A log line of any process of the node.</summary>
/// <param name="Source">Id of its source.</param>
/// <param name="Time">Its time; null if the line has none and follows no line that has one.</param>
/// <param name="Level">Its level, in the same way.</param>
/// <param name="Text">Its text, without characters that a viewer would interpret; at most <see cref="MaxLength"/>.</param>
/// <param name="IsCut">Whether the text was longer.</param>
internal sealed record NodeLogLine(string Source, DateTimeOffset? Time, LogLevel? Level, string Text, bool IsCut)
{
    /// <summary>Maximum length of the text.</summary>
    public const int MaxLength = 16 * 1024;

    // Of replicas and of workers.
    private static readonly string[] TimeFormats = ["yyyy-MM-dd HH:mm:ss.fff", "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"];

    /// <summary>Creates a line.</summary>
    public static NodeLogLine Of(string source, DateTimeOffset? time, LogLevel? level, string text)
    {
        var isCut = text.Length > MaxLength;
        return new(source, time, level, Clean(isCut ? text[..MaxLength] : text), isCut);
    }

    /// <summary>Reads a line of a log file. A line that does not start with a time continues the entry before it.</summary>
    /// <param name="source">Id of the source.</param>
    /// <param name="line">The line.</param>
    /// <param name="before">The line before it in the same file; null for the first.</param>
    public static NodeLogLine Parse(string source, string line, NodeLogLine? before)
    {
        foreach (var format in TimeFormats)
        {
            var length = format.Replace("'", "", StringComparison.Ordinal).Length;
            if (line.Length <= length || line[length] != ' '
                || !DateTimeOffset.TryParseExact(line.AsSpan(0, length), format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
                continue;
            var rest = line.AsSpan(length + 1);
            var word = rest.IndexOf(' ') is >= 0 and var end ? rest[..end] : rest;
            return LevelOf(word) is { } level
                ? Of(source, time, level, rest[Math.Min(word.Length + 1, rest.Length)..].ToString())
                : Of(source, time, null, rest.ToString());
        }

        return Of(source, before?.Time, before?.Level, line);
    }

    /// <summary>Returns the level of a name; null if it is none.</summary>
    /// <param name="name">The name, as in a log file or a query.</param>
    public static LogLevel? LevelOf(ReadOnlySpan<char> name) =>
        name.Equals("debug", StringComparison.OrdinalIgnoreCase) || name.Equals("trace", StringComparison.OrdinalIgnoreCase) ? LogLevel.Debug
        : name.Equals("info", StringComparison.OrdinalIgnoreCase) || name.Equals("information", StringComparison.OrdinalIgnoreCase) ? LogLevel.Information
        : name.Equals("warn", StringComparison.OrdinalIgnoreCase) || name.Equals("warning", StringComparison.OrdinalIgnoreCase) ? LogLevel.Warning
        : name.Equals("error", StringComparison.OrdinalIgnoreCase) ? LogLevel.Error
        : name.Equals("critical", StringComparison.OrdinalIgnoreCase) || name.Equals("fatal", StringComparison.OrdinalIgnoreCase) ? LogLevel.Critical
        : null;

    /// <summary>Whether the text starts with the id of a replica, whose own log contains the line too.</summary>
    public bool IsOfReplica() => Text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end && ReplicaId.TryParse(Text[..end], out _);

    private static string Clean(string text) => text.Any(static letter => char.IsControl(letter) && letter is not ('\t' or '\n'))
        ? string.Create(text.Length, text, static (cleaned, text) =>
        {
            for (var index = 0; index < text.Length; index++)
                cleaned[index] = char.IsControl(text[index]) && text[index] is not ('\t' or '\n') ? '\uFFFD' : text[index];
        })
        : text;
}
