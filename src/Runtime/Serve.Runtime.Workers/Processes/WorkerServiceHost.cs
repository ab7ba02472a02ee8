using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Services of a worker that hosts replicas, and its HTTP server if the program has one. Built at the start of the process if the node asks for that, otherwise with the
/// first actor: workers that only run tasks and Core's actors need none. Its state is written once, by the first start.
/// </summary>
internal sealed class WorkerServiceHost(WorkerHandshakeMessage handshake, WorkerClusterSource cluster, Action<IServiceCollection> configure) : IDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ServiceProvider? _services;
    private HostProcessAddress? _address;

    /// <summary>Builds the services and starts the HTTP server, if that has not been done.</summary>
    /// <param name="callAddress">Where this process accepts calls.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>Where other processes reach this one.</returns>
    public async Task<HostProcessAddress> StartAsync(string callAddress, CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_address is not null)
                return _address;
            var services = Build();
            var http = services.GetService<IActorHttpServer>() is { } server ? await server.StartAsync(handshake.Token, cancellationToken) : null;
            var address = new HostProcessAddress(handshake.WorkerId, http?.Http, callAddress, handshake.Token, http?.Http2);
            services.GetRequiredService<ProcessIdentity>().SetAddress(address);
            Volatile.Write(ref _services, services);
            return _address = address;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Serves calls and the node's queries on a connection.</summary>
    public Task ServeAsync(FrameStream stream) => Volatile.Read(ref _services) is { } services
        ? ActorHostConnection.ServeAsync(stream, services.GetRequiredService<ProcessActorHost>(), services.GetRequiredService<NodeQueryHandler>())
        : Task.CompletedTask;

    /// <summary>Completes when the process is to exit and its services are disposed, or have had their time.</summary>
    public async Task WaitForShutdownAsync(CancellationToken cancellationToken)
    {
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            _stopped.TrySetResult();
        });

        // Ctrl+C is handled by the node.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        await _stopped.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Flushes the buffers of the services; foreground threads and finalizers of user code are not waited for.
        if (Volatile.Read(ref _services) is { } services)
            await Task.WhenAny(services.DisposeAsync().AsTask(), Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, CancellationToken.None));
    }

    public void Dispose() => _starting.Dispose();

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        RuntimeServiceCollectionExtensions.AddProcess(services, handshake.WorkerId);
        services.AddSingleton<NodeQueryHandler>();
        services.AddSingleton(_ => cluster.WaitForCluster());
        configure(services);
        return services.BuildServiceProvider();
    }
}
