using System.Buffers;

namespace Serve.Specs.Binding;

/// <summary>The forms that texts in settings have: each function says what is wrong with one, or null.</summary>
internal static class NameRules
{
    private const string OwnPaths = "/-";

    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("?#%\\ \t\r\n");

    public static string? NameProblem(string text)
    {
        if (text.Length is 0 or > 100)
            return text.Length == 0 ? "must not be empty" : "must have at most 100 characters";
        var wellFormed = char.IsAsciiLetterOrDigit(text[0])
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
        return wellFormed ? null : $"'{text}' must begin with a letter or a digit and hold only letters, digits, '-', '_' and '.'";
    }

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

    public static string? RootPathProblem(string text) => text.Length == 0 ? null : text == "/" ? "must be empty rather than '/'" : RoutePrefixProblem(text);

    public static string? NotEmptyProblem(string text) => string.IsNullOrWhiteSpace(text) ? "must not be empty" : null;
}
