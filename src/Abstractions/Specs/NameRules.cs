using System.Buffers;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Constraints on names, route prefixes and other texts in settings. Each function returns why a text is invalid, or null if it is valid.</summary>
public static class NameRules
{
    private const string ReservedPath = "/-";

    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("?#%\\ \t\r\n");

    /// <summary>Validates the name of an application or deployment.</summary>
    /// <param name="text">The name.</param>
    public static string? NameProblem(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is 0 or > 100)
            return text.Length == 0 ? "must not be empty" : "must have at most 100 characters";
        var wellFormed = char.IsAsciiLetterOrDigit(text[0])
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
        return wellFormed ? null : $"'{text}' must start with a letter or a digit and contain only letters, digits, '-', '_' and '.'";
    }

    /// <summary>Validates a route prefix.</summary>
    /// <param name="text">The route prefix.</param>
    public static string? RoutePrefixProblem(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            "" => "must not be empty; null disables HTTP",
            "/" => null,
            _ when text[0] != '/' => $"'{text}' must start with '/'",
            _ when text[^1] == '/' => $"'{text}' must not end with '/'",
            _ when text.Contains('{') || text.Contains('}') => $"'{text}' must not contain '{{' or '}}'",
            _ when text.AsSpan().IndexOfAny(NotInPaths) >= 0 || text.Any(char.IsControl) => $"'{text}' must not contain '?', '#', '%', '\\' or whitespace",
            _ when text.Split('/').Skip(1).Any(segment => segment is "" or "." or "..") => $"'{text}' must not contain empty, '.' or '..' segments",
            _ when text == ReservedPath || text.StartsWith(ReservedPath + "/", StringComparison.Ordinal) => $"'{text}' must not be under '/-/', which is reserved",
            _ => null,
        };
    }

    internal static Func<string, string?> For(ConfigFormat format) => format switch
    {
        ConfigFormat.Name => NameProblem,
        ConfigFormat.NonEmptyText => static text => string.IsNullOrWhiteSpace(text) ? "must not be empty" : null,
        ConfigFormat.RoutingKey => static text => RoutingKeyExpression.TryParse(text, out _, out var problem) ? null : problem,
        ConfigFormat.HeaderMatch => static text => CanarySpec.TryParseHeader(text, out _, out _) ? null : $"'{text}' must be a header's name and value, written NAME=VALUE",
        ConfigFormat.RootPath => static text => text.Length == 0 ? null : text == "/" ? "must be empty rather than '/'" : RoutePrefixProblem(text),
        ConfigFormat.HostName => HostNameProblem,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a format of texts."),
    };

    private static string? HostNameProblem(string text) =>
        text == "*" || Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
            ? null
            : $"'{text}' must be a host name without a port, '*.' and a domain, or '*'";
}
