using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Runtime;
using Serve.Runtime.Workers.Processes;

namespace Serve.Replica.Http;

/// <summary>
/// HTTP server of a worker: accepts the requests that gateways forward to its actors, by HTTP/1.1 and by HTTP/2, each on a loopback port of its own. HTTP/2
/// carries gRPC and other exchanges in which both sides send at once or the response ends with trailers. Its state is the server, written once.
/// </summary>
internal sealed class ActorHttpServer(IActorReferenceResolver actors, ILoggerFactory loggers) : IActorHttpServer, IAsyncDisposable
{
    private const int StreamWindow = 1 << 20;

    private const int MaxHeadSize = 128 * 1024;

    // Kestrel closes a connection on which too many streams are canceled at once, with every request on it; the limit grows with this.
    private const int MaxStreams = 1000;

    private IHost? _server;

    public async Task<ActorHttpAddresses> StartAsync(string token, CancellationToken cancellationToken)
    {
        var dispatcher = new ActorHttpDispatcher(actors, token);
        _server = new HostBuilder()
            .ConfigureServices(services =>
            {
                services.AddSingleton(loggers);
                services.AddSingleton<IHostLifetime, EmbeddedHostLifetime>();
                services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));
                services.Configure<KestrelServerOptions>(Listen);
            })
            .ConfigureWebHost(web => web.UseKestrelCore().Configure(app =>
            {
                app.UseWhen(WebSocketUpgrade.IsRequested, static upgrade => upgrade.UseWebSockets());
                app.Run(dispatcher.HandleAsync);
            }), static web => web.SuppressEnvironmentConfiguration = true)
            .Build();
        await _server.StartAsync(cancellationToken);
        var addresses = _server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        return new(addresses.First(), addresses.Last());
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is not { } server)
            return;
        await server.StopAsync();
        server.Dispose();
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8;

        // The gateway enforces the limits of a client's head; it adds headers, or encodes the head as one (ForwardedRequestHead).
        kestrel.Limits.MaxRequestHeaderCount = 200;
        kestrel.Limits.MaxRequestLineSize = MaxHeadSize;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeadSize;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = MaxHeadSize;

        // The gateway has measured and timed the body already, and decides which connections are kept.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromDays(1);
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreams;
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindow;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * StreamWindow;
        kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
    }

    /// <summary>Lifetime of a server inside a process that decides itself when it ends: reacts to no signal. Holds no state.</summary>
    private sealed class EmbeddedHostLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
