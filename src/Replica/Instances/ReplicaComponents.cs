using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Batching;
using Serve.Replica.Loading;
using Serve.Replica.Logs;
using Serve.Replica.Multiplexing;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Instances;

/// <summary>
/// Components of a replica, set one by one during its start, so that a failed start and a stopped replica are disposed in the same way: the user's object first, then its models, and its
/// assemblies last. Set by the activator until the replica is ready.
/// </summary>
internal sealed partial class ReplicaComponents(ActorTurnScheduler turns, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Timeout for disposing user objects; shorter than the runtime's timeout for the replica.</summary>
    private static readonly TimeSpan UserDisposalLimit = TimeSpan.FromSeconds(5);

    private int _disposed;

    public TimeProvider Time => time;

    public UserAssemblyLease? Code { get; set; }

    public ReplicaLogFactory? LogFiles { get; set; }

    /// <summary>Copies the console to the log until it is disposed.</summary>
    public IDisposable? Console { get; set; }

    public ReplicaContext? Context { get; set; }

    public ReplicaMetrics? Metrics { get; set; }

    public ServiceProvider? Services { get; set; }

    /// <summary>Multiplexed models of the class; null if it has none.</summary>
    public ReplicaModelSets? Models { get; set; }

    /// <summary>Keys of <c>user_config</c> that the platform handles.</summary>
    public IReadOnlyList<IUserConfigKey> ConfigKeys =>
    [
        .. Models is { } models ? [models] : (IUserConfigKey[])[],
        .. Batches is { Any: true } batches ? [batches] : (IUserConfigKey[])[],
        .. ModelKeys,
        .. Target is IBuiltInDeployment builtIn ? [builtIn.BatchingKey] : (IUserConfigKey[])[],
    ];

    public object? Target { get; set; }

    public UserHookInvoker? Hooks { get; set; }

    /// <summary>Models that were injected into the constructor; disposed after the object.</summary>
    public List<OnnxModel> InjectedModels { get; } = [];

    /// <summary>Keys of <c>user_config</c> for injected models.</summary>
    public ImmutableArray<ModelConfigKey> ModelKeys { get; set; } = [];

    /// <summary>Methods with <see cref="BatchAttribute"/>.</summary>
    public BatchedMethodSet? Batches { get; set; }

    /// <summary>Reports statistics for the routing policy; null if the class has none.</summary>
    public ReplicaStatsReporter? RoutingStats { get; set; }

    /// <summary>Reports metrics for autoscaling; null if the class has none.</summary>
    public ReplicaStatsReporter? AutoscalingStats { get; set; }

    public IActorHttpHandler? Http { get; set; }

    /// <summary>Whether the class can access the request that it serves: through handles, its context, its log or its services.</summary>
    public bool SeesRequests { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        var started = time.GetTimestamp();
        var logger = Services?.GetService<ILoggerFactory>()?.CreateLogger("Serve.Replica");
        Batches?.Dispose();
        RoutingStats?.Dispose();
        AutoscalingStats?.Dispose();
        if (Hooks is { } hooks)
            await AttemptAsync(() => DisposeUserAsync(hooks), logger).ConfigureAwait(false);
        if (Models is { } models)
            await AttemptAsync(() => models.DisposeAsync().AsTask().WaitAsync(UserDisposalLimit, time), logger).ConfigureAwait(false);
        foreach (var model in InjectedModels)
            await AttemptAsync(() => DisposeModelAsync(model), logger).ConfigureAwait(false);
        if (logger is not null)
            Log.Ended(logger, time.GetElapsedTime(started).TotalMilliseconds);
        if (Services is { } services)
            await AttemptAsync(() => services.DisposeAsync().AsTask(), logger: null);
        Metrics?.ObserveShutdown(time.GetElapsedTime(started));
        Metrics?.Dispose();
        Console?.Dispose();
        LogFiles?.Dispose();
        Code?.Dispose();

        // A remaining reference to this instance must not prevent the user's assembly from unloading.
        Target = null;
        Models = null;
        Hooks = null;
        Batches = null;
        Http = null;
    }

    // On a thread of its own and not awaited within a turn: a disposal that never completes must not block the rest.
    private Task DisposeUserAsync(UserHookInvoker hooks) =>
        turns.RunAsync(hooks, static hooks => hooks.DisposeAsync(), blocking: true).AsTask().WaitAsync(UserDisposalLimit, time);

    // Waits for ongoing runs.
    private Task DisposeModelAsync(OnnxModel model) => Task.Run(model.Dispose).WaitAsync(UserDisposalLimit, time);

    private static async Task AttemptAsync(Func<Task> dispose, ILogger? logger)
    {
        try
        {
            await dispose().ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            // The other components must still be disposed.
            if (logger is not null)
                Log.NotDisposed(logger, thrown);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5040, Level = LogLevel.Error, Message = "Disposing the deployment's object or its models failed")]
        public static partial void NotDisposed(ILogger logger, Exception thrown);

        [LoggerMessage(EventId = 5041, Level = LogLevel.Information, Message = "Replica disposed in {Milliseconds:0.0} ms")]
        public static partial void Ended(ILogger logger, double milliseconds);
    }
}
