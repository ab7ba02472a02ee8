using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;
using Serve.Inference;
using Serve.Nodes;
using Serve.Replica;
using Serve.Replicas;
using Serve.Routing;
using Serve.Runtime;
using Serve.Runtime.Onnx;

namespace Serve.Cli.Hosting;

/// <summary>Services that node and worker processes share: both host replicas and route calls.</summary>
internal static class NodeProcessServices
{
    /// <summary>Hidden command that runs this executable as a worker.</summary>
    public const string WorkerVerb = "worker";

    /// <summary>Hidden command that runs another command and ends with its parent: see <see cref="ProcessGroupSupervisor"/>.</summary>
    public const string SuperviseVerb = "supervise";

    /// <summary>Hidden command that loads a model for a node: see <see cref="OnnxModelProbe"/>.</summary>
    public const string ProbeVerb = "probe-model";

    private const string RuntimeMeter = "Serve.Runtime";

    /// <summary>Registers replicas and the routing of their calls.</summary>
    /// <param name="services">Services of the process, including the runtime.</param>
    /// <param name="stateDirectory">The node's state directory.</param>
    public static IServiceCollection AddServeProcess(this IServiceCollection services, string stateDirectory)
    {
        // The meters of ASP.NET Core cost time per request, and duplicate our metrics, which have Ray Serve's names.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true });
        Metrics.ConfigureMeterAdapter(static options => options.InstrumentFilterPredicate = static instrument => instrument.Meter.Name == RuntimeMeter);
        ProcessRuntimeMetrics.Register();
        services.AddServeRouting(provider =>
        {
            var directory = provider.GetRequiredService<IActorReferenceResolver>();
            return replica => directory.Resolve(new ActorId(replica.ReplicaId), new(replica.Address.ProcessId, replica.Address.HttpAddress, replica.Address.CallAddress, replica.Address.Token));
        });
        return services.AddServeReplicas(ReplicaFolders.Of(stateDirectory)).AddServeModels();
    }

    /// <summary>Logs to the console of a worker, which is its log file.</summary>
    /// <param name="services">The worker's services.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddWorkerLogging(this IServiceCollection services) => services.AddLogging(logging => logging
        .AddProvider(new LineLoggerProvider(Console.Out, TimeProvider.System, hasDate: true))
        .AddFilter("Microsoft", LogLevel.Warning));

    /// <summary>Returns the command line that starts a worker: this executable with <see cref="WorkerVerb"/> and the state directory.</summary>
    /// <param name="stateDirectory">The node's state directory.</param>
    public static IReadOnlyList<string> WorkerCommand(string stateDirectory) => OwnCommand(WorkerVerb, stateDirectory);

    /// <summary>Returns the command line before a command that is to end with this process.</summary>
    public static IReadOnlyList<string> SupervisorCommand() => OwnCommand(SuperviseVerb);

    /// <summary>Returns the command line that loads a model in a process of its own.</summary>
    public static IReadOnlyList<string> ProbeCommand() => OwnCommand(ProbeVerb);

    private static string[] OwnCommand(params string[] verb)
    {
        var executable = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this executable is unknown.");
        // If started as `dotnet serve.dll`, the executable is dotnet.
        return Path.GetFileNameWithoutExtension(executable) == "dotnet"
            ? [executable, "exec", Path.Combine(AppContext.BaseDirectory, "serve.dll"), .. verb]
            : [executable, .. verb];
    }
}
