using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;
using Serve.Replica;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Cli.Hosting;

/// <summary>What node and worker have in common: either may hold replicas, and both route calls.</summary>
internal static class NodeProcessServices
{
    /// <summary>The hidden verb that makes this executable a worker.</summary>
    public const string WorkerVerb = "worker";

    /// <summary>Registers replicas and the routing of their calls.</summary>
    /// <param name="services">The process's services; the runtime is among them.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddServeProcess(this IServiceCollection services)
    {
        // Collecting .NET's own meters would switch on ASP.NET Core's, at a price per request; ours say the same with Ray Serve's names.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressMeters = true, SuppressEventCounters = true });
        services.AddServeRouting(provider =>
        {
            var directory = provider.GetRequiredService<IActorReferenceResolver>();
            return replica => directory.Resolve(new ActorId(replica.ReplicaId), replica.Process);
        });
        return services.AddServeReplicas();
    }

    /// <summary>Logs to the console of a worker, which is its log file.</summary>
    /// <param name="services">The worker's services.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddWorkerLogging(this IServiceCollection services) => services.AddLogging(logging => logging
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        })
        .AddFilter("Microsoft", LogLevel.Warning));

    /// <summary>How a worker is started: this same executable with <see cref="WorkerVerb"/>.</summary>
    /// <returns>The executable, then its arguments.</returns>
    public static IReadOnlyList<string> WorkerCommand()
    {
        var executable = Environment.ProcessPath ?? throw new InvalidOperationException("The operating system does not tell this process's own path.");
        // As `dotnet serve.dll` the executable alone would not say what to run.
        return Path.GetFileNameWithoutExtension(executable) == "dotnet"
            ? [executable, "exec", Path.Combine(AppContext.BaseDirectory, "serve.dll"), WorkerVerb]
            : [executable, WorkerVerb];
    }
}
