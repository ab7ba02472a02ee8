using System.Buffers;

namespace Serve.Specs.Binding;

/// <summary>Rules for names and paths in configurations. Each method returns what is wrong with a text, or null.</summary>
public static class NameRules
{
    private const string OwnPaths = "/-";

    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("?#%\\ \t\r\n");

    /// <summary>Checks the name of an application or deployment.</summary>
    /// <param name="text">The name.</param>
    /// <returns>The problem, or null.</returns>
    public static string? NameProblem(string text)
    {
        if (text.Length is 0 or > 100)
            return text.Length == 0 ? "must not be empty" : "must have at most 100 characters";
        var wellFormed = char.IsAsciiLetterOrDigit(text[0])
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
        return wellFormed ? null : $"'{text}' must begin with a letter or a digit and hold only letters, digits, '-', '_' and '.'";
    }

    /// <summary>Checks a route prefix.</summary>
    /// <param name="text">The prefix.</param>
    /// <returns>The problem, or null.</returns>
    public static string? RoutePrefixProblem(string text) => text switch
    {
        "" => "must not be empty; null means no HTTP",
        "/" => null,
        _ when text[0] != '/' => $"'{text}' must start with '/'",
        _ when text[^1] == '/' => $"'{text}' must not end with '/'",
        _ when text.Contains('{') || text.Contains('}') => $"'{text}' must not contain '{{' or '}}'",
        _ when text.AsSpan().IndexOfAny(NotInPaths) >= 0 || text.Any(char.IsControl) => $"'{text}' must not contain '?', '#', '%', '\\' or blanks",
        _ when text.Split('/').Skip(1).Any(segment => segment is "" or "." or "..") => $"'{text}' must not contain empty, '.' or '..' segments",
        _ when text == OwnPaths || text.StartsWith(OwnPaths + "/", StringComparison.Ordinal) => $"'{text}' must not be under '/-/', which is the platform's own",
        _ => null,
    };

    /// <summary>Checks a root path, which may be empty.</summary>
    /// <param name="text">The path.</param>
    /// <returns>The problem, or null.</returns>
    public static string? RootPathProblem(string text) => text.Length == 0 ? null : text == "/" ? "must be empty rather than '/'" : RoutePrefixProblem(text);

    /// <summary>Checks a text that must not be empty.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The problem, or null.</returns>
    public static string? NotEmptyProblem(string text) => string.IsNullOrWhiteSpace(text) ? "must not be empty" : null;
}
