using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Rpc;
using Serve.Runtime.Workers;

namespace Serve.Runtime;

/// <summary>A worker process's main: takes the handshake, serves its node until told to stop, and dies with it.</summary>
public static class WorkerHost
{
    /// <summary>Runs until the node says stop. The process's standard streams are the node's; it does not return when the node is gone.</summary>
    /// <param name="configure">Registers what the process needs: activators, topic subscribers, logging.</param>
    /// <param name="cancellationToken">Ends the worker as the node's order would.</param>
    /// <returns>Completes when it has stopped.</returns>
    public static async Task RunAsync(Action<IServiceCollection> configure, CancellationToken cancellationToken = default)
    {
        NativeProcess.LeadOwnGroup();
        using var pipes = WorkerPipes.Take();
        var handshake = pipes.ReadHandshake();
        NativeProcess.DieWithParent(handshake.ParentPid);
        WorkerPipes.LogTo(handshake.LogFile);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        pipes.Watch(() => _ = stop.CancelAsync(), Die);
        var host = Build(handshake, configure);
        await host.StartAsync(stop.Token);
        var (http, call) = CallServer.AddressesOf(host.Services);
        host.Services.GetRequiredService<ProcessIdentity>().Listen(http, call, handshake.Token);
        pipes.WriteReady(new(http, call));
        await host.WaitForShutdownAsync(stop.Token);

        // Flushes what the process's services hold; what user code left running (foreground threads, finalizers) is not waited for.
        await Task.WhenAny(((IAsyncDisposable)host).DisposeAsync().AsTask(), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None));
        NativeProcess.ExitAtOnce(0);
    }

    private static IHost Build(WorkerHandshake handshake, Action<IServiceCollection> configure) => new HostBuilder()
        .ConfigureServices(services =>
        {
            RuntimeServices.AddProcess(services, handshake.WorkerId);
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
            services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
            configure(services);
        })
        .AddCallServer(new(handshake.Token, TakesControl: true))
        .Build();

    private static void Die()
    {
        // With the whole group: children of user code have nobody left either.
        NativeProcess.KillGroup(Environment.ProcessId);
        NativeProcess.ExitAtOnce(1);
        Process.GetCurrentProcess().Kill();
    }
}
