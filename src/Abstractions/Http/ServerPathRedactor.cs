using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Serve.Http;

/// <summary>
/// Shortens the file paths in an error text to their last segment, for clients: <c>Could not find file '/home/ann/app/labels.txt'</c> becomes <c>Could not find file 'labels.txt'</c>. URL paths and
/// route prefixes stay, because their first segment is no folder of the file system's root. Logs contain the text as it is.
/// </summary>
public static partial class ServerPathRedactor
{
    // Empty on Windows, where paths have a drive or a server.
    private static readonly FrozenSet<string> RootFolders = ReadRootFolders();

    /// <summary>Shortens the paths in a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The text with shortened paths.</returns>
    public static string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().IndexOfAny('/', '\\') < 0 ? text : Paths.Replace(text, static match => Shorten(match.Value));
    }

    // In quotes a path may contain any character. Elsewhere it ends at a space, unless the next word contains a separator: a folder with a space in its name.
    [GeneratedRegex("""(?<=['"`])(?:/|[A-Za-z]:[\\/]|\\\\)[^'"`\r\n]*(?=['"`])|(?<![\w/\\.\]])(?:file://)?(?:/|[A-Za-z]:[\\/]|\\\\)[^\s'"`<>|;,()\[\]{}]+(?: [^\s/\\'"`<>|;,()\[\]{}]+[/\\][^\s'"`<>|;,()\[\]{}]+)*""")]
    private static partial Regex Paths { get; }

    private static string Shorten(string path)
    {
        var plain = path.StartsWith("file://", StringComparison.Ordinal) ? path[7..] : path;
        var end = plain.TrimEnd('/', '\\');
        var last = end.LastIndexOfAny(['/', '\\']);
        if (last <= 0)
            return path;
        var isUnix = plain[0] == '/';
        return isUnix && !RootFolders.Contains(plain[1..plain.IndexOf('/', 1)]) ? path : end[(last + 1)..];
    }

    private static FrozenSet<string> ReadRootFolders()
    {
        try
        {
            return OperatingSystem.IsWindows() ? [] : Directory.EnumerateDirectories("/").Select(folder => folder[1..]).ToFrozenSet(StringComparer.Ordinal);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return ["home", "root", "tmp", "usr", "var", "opt", "etc", "srv", "mnt"];
        }
    }
}
