namespace Serve.Dashboard.Actions;

/// <summary>A request to an application, as sent to <c>POST /api/v1/console</c>.</summary>
internal sealed record ConsoleRequest
{
    /// <summary>HTTP method. Default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Path and query at the gateway.</summary>
    public string? Path { get; init; }

    /// <summary>Headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Body as text.</summary>
    public string? Body { get; init; }

    /// <summary>Body as base64, instead of a text.</summary>
    public string? BodyBase64 { get; init; }
}

/// <summary>The response of an application. It is data for a page, which shows it as text: it is never sent to the browser as a document.</summary>
internal sealed record ConsoleResponse
{
    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>Headers; several values of one are separated by a comma.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>Body, if it is valid UTF-8.</summary>
    public string? Body { get; init; }

    /// <summary>Body as base64, if it is not.</summary>
    public string? BodyBase64 { get; init; }

    /// <summary>Whether the body was longer.</summary>
    public required bool IsTruncated { get; init; }

    /// <summary>Duration in milliseconds.</summary>
    public required double ElapsedMs { get; init; }
}
