namespace Serve.Runtime.Workers.Processes;

/// <summary>HTTP server of a process that hosts actors, for requests that gateways in other processes forward. Registered by the program if its actors serve HTTP; disposed with its services.</summary>
public interface IActorHttpServer
{
    /// <summary>Starts the server.</summary>
    /// <param name="token">What gateways present with each request.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>Where it listens.</returns>
    Task<ActorHttpAddresses> StartAsync(string token, CancellationToken cancellationToken);
}

/// <summary>Where an <see cref="IActorHttpServer"/> listens.</summary>
/// <param name="Http">Base address for HTTP/1.1.</param>
/// <param name="Http2">Base address for HTTP/2 without TLS.</param>
public sealed record ActorHttpAddresses(string Http, string Http2);
