using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime;

/// <summary>Main method of a worker process: performs the handshake with its node, serves it until it requests a stop, and exits with it.</summary>
public static class WorkerProcessHost
{
    /// <summary>Runs until the node requests a stop. The standard streams of the process belong to the node; the method does not return if the node exits.</summary>
    /// <param name="configure">Registers the services that host actors: activators, topic subscribers, an HTTP server, logging.</param>
    /// <param name="cancellationToken">Stops the worker, as a request of the node does.</param>
    /// <returns>Completes when it has stopped.</returns>
    public static async Task RunAsync(Action<IServiceCollection> configure, CancellationToken cancellationToken = default)
    {
        NativeProcessApi.BecomeGroupLeader();
        ProtocolWarmUp.Begin();
        using var pipes = WorkerControlPipes.OpenStandardStreams();
        var handshake = pipes.ReadHandshake();
        NativeProcessApi.ContinueOnParentExit();
        WorkerControlPipes.LogTo(handshake.LogFile);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var cluster = new WorkerClusterSource { ForwardsAllOutput = handshake.ListensLater };
        using var services = new WorkerServiceHost(handshake, cluster, configure);
        using var listener = new FrameSocketTransport.Listener(handshake.Token, (stream, purpose) =>
            purpose == ConnectionPurpose.Cluster ? DriverConnection.RunAsync(stream, cluster) : services.ServeAsync(stream));
        pipes.Watch(() => _ = stop.CancelAsync(), () => _ = StartServicesAsync(), Die);
        if (handshake.ListensLater)
            pipes.WriteReady(new(null, null, listener.Address));
        else
            await StartServicesAsync();
        await services.WaitForShutdownAsync(stop.Token);
        NativeProcessApi.ExitImmediately(0);

        async Task StartServicesAsync()
        {
            try
            {
                var address = await services.StartAsync(listener.Address, stop.Token);
                pipes.WriteReady(new(address.HttpAddress, address.Http2Address, listener.Address));
            }
            catch (Exception thrown) when (handshake.ListensLater)
            {
                // Not awaited by this process; the node waits for the line and sees the exit.
                Console.Error.WriteLine(thrown);
                NativeProcessApi.ExitImmediately(1);
            }
        }
    }

    private static void Die()
    {
        // The children of user code have no other owner.
        DescendantProcesses.KillOwn();
        NativeProcessApi.KillGroup(Environment.ProcessId);
        NativeProcessApi.ExitImmediately(1);
        Process.GetCurrentProcess().Kill();
    }
}
