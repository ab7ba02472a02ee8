using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Http;
using Serve.Runtime.Rpc;

namespace Serve.Runtime.Nodes;

/// <summary>The node's own call server, so that workers can call actors that live in the node. Started with the first worker; its one state is that server.</summary>
internal sealed class NodeCallServer(ActorHost host, ProcessIdentity identity, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1, 1);
    private IHost? server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref server) is not null)
            return;
        await starting.WaitAsync(cancellationToken);
        try
        {
            if (server is not null)
                return;
            var token = RpcToken.Create();
            var built = Build(token);
            await built.StartAsync(cancellationToken);
            var (http, call) = CallServer.AddressesOf(built.Services);
            identity.Listen(http, call, token);
            Volatile.Write(ref server, built);
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref server, null) is not { } running)
            return;
        await running.StopAsync();
        running.Dispose();
        starting.Dispose();
    }

    private IHost Build(string token) => new HostBuilder()
        .ConfigureServices(services =>
        {
            services.AddSingleton(loggers);
            services.AddSingleton(host);
            services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
            services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        })
        .AddCallServer(new(token, TakesControl: false))
        .Build();
}
