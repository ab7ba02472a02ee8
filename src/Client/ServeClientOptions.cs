namespace Serve;

/// <summary>Connection options of a client. The defaults suit a node on this machine.</summary>
public sealed record ServeClientOptions
{
    /// <summary>The token of the node. Default: that of a node which the same user has started on this machine, without <c>--token-file</c>; otherwise none.</summary>
    public string? Token { get; init; }

    /// <summary>A file with the token of the node, read once when the client is created. Default: as for <see cref="Token"/>.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Default timeout of calls, which a handle's <c>Options</c> override. Default: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Timeout for opening a connection. Default 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A handler that sends the requests instead of the client's own connection pool; not disposed with the client. Default: none.</summary>
    public HttpMessageHandler? HttpMessageHandler { get; init; }
}
