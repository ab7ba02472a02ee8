using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Rpc;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime;

/// <summary>A worker process's main: takes the handshake, serves its node until told to stop, and dies with it.</summary>
public static class WorkerProcessHost
{
    /// <summary>Runs until the node says stop. The process's standard streams are the node's; it does not return when the node is gone.</summary>
    /// <param name="configure">Registers what the process needs: activators, topic subscribers, logging.</param>
    /// <param name="cancellationToken">Ends the worker as the node's order would.</param>
    /// <returns>Completes when it has stopped.</returns>
    public static async Task RunAsync(Action<IServiceCollection> configure, CancellationToken cancellationToken = default)
    {
        NativeProcessApi.BecomeGroupLeader();
        ProtocolWarmUp.Begin();
        using var pipes = WorkerControlPipes.OpenStandardStreams();
        var handshake = pipes.ReadHandshake();
        NativeProcessApi.KillOnParentExit(handshake.ParentPid);
        WorkerControlPipes.LogTo(handshake.LogFile);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var arrival = new WorkerClusterSource();
        using var server = new WorkerServiceHost(() => Build(handshake, arrival, configure), handshake.Token);
        var session = FrameSocketTransport.Listen(handshake.Token, stream => DriverConnection.RunAsync(stream, arrival));
        pipes.Watch(() => _ = stop.CancelAsync(), () => _ = ListenAsync(), Die);
        if (handshake.ListensLater)
            pipes.WriteReady(new(null, null, session));
        else
            await ListenAsync();
        await server.WaitForShutdownAsync(stop.Token);
        NativeProcessApi.ExitImmediately(0);

        async Task ListenAsync()
        {
            try
            {
                var (http, call) = await server.StartAsync(stop.Token);
                pipes.WriteReady(new(http, call, session));
            }
            catch (Exception thrown) when (handshake.ListensLater)
            {
                // Nobody awaits it; the node waits for the line.
                Console.Error.WriteLine(thrown);
                NativeProcessApi.ExitImmediately(1);
            }
        }
    }

    private static IHost Build(WorkerHandshakeMessage handshake, WorkerClusterSource arrival, Action<IServiceCollection> configure) => new HostBuilder()
        .ConfigureServices(services =>
        {
            RuntimeServiceCollectionExtensions.AddProcess(services, handshake.WorkerId);
            services.AddLogging(logging => logging
                .AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                    console.UseUtcTimestamp = true;
                })
                .AddFilter("Microsoft", LogLevel.Warning)
                .AddFilter("Grpc", LogLevel.Warning));
            services.AddSingleton<IHostLifetime, WorkerLifetime>();
            services.AddSingleton(_ => arrival.WaitForCluster());
            services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
            configure(services);
        })
        .AddCallServer(new(handshake.Token, TakesControl: true))
        .Build();

    private static void Die()
    {
        // With the whole group: children of user code have nobody left either.
        NativeProcessApi.KillGroup(Environment.ProcessId);
        NativeProcessApi.ExitImmediately(1);
        Process.GetCurrentProcess().Kill();
    }
}
