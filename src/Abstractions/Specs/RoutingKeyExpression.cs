using System.Diagnostics.CodeAnalysis;

namespace Serve.Specs;

/// <summary>Part of an HTTP request that is its routing key.</summary>
public enum RoutingKeySource
{
    /// <summary>A header.</summary>
    Header,

    /// <summary>A cookie.</summary>
    Cookie,

    /// <summary>A parameter of the query string.</summary>
    Query,

    /// <summary>A segment of the path.</summary>
    Route,

    /// <summary>A field of a JSON body.</summary>
    Json,
}

/// <summary>Parsed key expression of a <see cref="RequestRouterSpec"/>. Immutable.</summary>
public sealed class RoutingKeyExpression
{
    private RoutingKeyExpression(RoutingKeySource source, string name, IReadOnlyList<string> segments) => (Source, Name, Segments) = (source, name, segments);

    /// <summary>Gets the part of the request.</summary>
    public RoutingKeySource Source { get; }

    /// <summary>Gets the name of the header, cookie or query parameter.</summary>
    public string Name { get; }

    /// <summary>
    /// Gets the names of the nested fields of a JSON body, or the segments of a path below the route prefix: literal texts, or null for any value. The last null is the key.
    /// </summary>
    public IReadOnlyList<string?> Segments { get; }

    /// <summary>Parses an expression.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="expression">The result.</param>
    /// <param name="problem">Why the text is invalid.</param>
    /// <returns>Whether the text is valid.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out RoutingKeyExpression? expression, [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        (expression, problem) = (null, null);
        var colon = text.IndexOf(':');
        var name = text[(colon + 1)..];
        RoutingKeySource? source = colon < 0 ? null : text[..colon] switch
        {
            "header" => RoutingKeySource.Header,
            "cookie" => RoutingKeySource.Cookie,
            "query" => RoutingKeySource.Query,
            "route" => RoutingKeySource.Route,
            "json" => RoutingKeySource.Json,
            _ => null,
        };
        if (source is not { } found || name.Length == 0 || name.Any(char.IsWhiteSpace))
            problem = $"must be header:NAME, cookie:NAME, query:NAME, route:/PATH/{{NAME}} or json:FIELD, not '{text}'";
        else if (found == RoutingKeySource.Json)
            expression = TryParseFields(name, text, out problem);
        else if (found == RoutingKeySource.Route)
            expression = TryParsePath(name, text, out problem);
        else
            expression = new(found, name, []);
        return expression is not null;
    }

    private static RoutingKeyExpression? TryParseFields(string name, string text, out string? problem)
    {
        var fields = name.Split('.');
        problem = fields.Contains("") ? $"'{text}' must not contain empty field names" : null;
        return problem is null ? new(RoutingKeySource.Json, name, fields) : null;
    }

    private static RoutingKeyExpression? TryParsePath(string name, string text, out string? problem)
    {
        var parts = name.Split('/');
        var segments = parts.Skip(1).Select(part => part is ['{', _, .., '}'] ? null : part).ToArray();
        problem = parts[0].Length > 0 ? $"'{text}' must have a '/' after 'route:'; the path is relative to the route prefix"
            : segments.Any(segment => segment is "" || segment?.AsSpan().ContainsAny('{', '}') is true) ? $"'{text}' must consist of non-empty segments, which are texts or {{NAME}}"
            : !segments.Contains(null) ? $"'{text}' must contain a segment {{NAME}}, which is the key"
            : null;
        return problem is null ? new(RoutingKeySource.Route, name, segments!) : null;
    }
}
