namespace Serve;

/// <summary>How a client reaches a node. Every setting has a default that suits a node on this machine.</summary>
public sealed record ServeClientOptions
{
    /// <summary>What a node that listens beyond loopback asks for. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>A file that holds the token; read once, when connecting. Default: none.</summary>
    public string? TokenFile { get; init; }

    /// <summary>How long a call may take, where a handle's <c>Options</c> do not say otherwise. Default: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How long opening a connection may take. Default 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Sends the requests instead of a connection pool of the client's own; not disposed with the client. Default: none.</summary>
    public HttpMessageHandler? HttpMessageHandler { get; init; }
}
