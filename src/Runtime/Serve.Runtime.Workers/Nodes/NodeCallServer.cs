using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers.Http;
using Serve.Runtime.Workers.Rpc;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>Call server of the node's own process, through which workers call actors hosted by the node. Started with the first worker.</summary>
internal sealed class NodeCallServer(ProcessActorHost host, ProcessIdentity identity, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private IHost? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _server) is not null)
            return;
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_server is not null)
                return;
            var token = ProcessAccessToken.Create();
            var built = Build(token);
            await built.StartAsync(cancellationToken);
            var (http, call) = ProcessHttpServer.AddressesOf(built.Services);
            identity.Listen(http, call, token);
            Volatile.Write(ref _server, built);
        }
        finally
        {
            _starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is not { } running)
            return;
        await running.StopAsync();
        running.Dispose();
        _starting.Dispose();
    }

    private IHost Build(string token) => new HostBuilder()
        .ConfigureServices(services =>
        {
            services.AddSingleton(loggers);
            services.AddSingleton(host);
            services.AddSingleton<IHostLifetime, EmbeddedHostLifetime>();
            services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        })
        .AddCallServer(new(token, TakesControl: false))
        .Build();
}
