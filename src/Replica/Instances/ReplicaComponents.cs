using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Batching;
using Serve.Replica.Loading;
using Serve.Replica.Logs;
using Serve.Replica.ModelServing;
using Serve.Replica.Multiplexing;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Instances;

/// <summary>
/// What a replica is made of, filled in as it starts, so that a start that fails half-way and a replica that ends are taken apart alike:
/// the user's object first, then the models it loaded, its assemblies last. Written by the activator until the replica is ready.
/// </summary>
internal sealed partial class ReplicaComponents(ActorTurnScheduler turns, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long the user's own disposal may take; shorter than what the runtime grants the whole.</summary>
    private static readonly TimeSpan UserDisposalLimit = TimeSpan.FromSeconds(5);

    private int _disposed;

    public TimeProvider Time => time;

    public UserAssemblyLease? Code { get; set; }

    public ReplicaLogFactory? Log { get; set; }

    public ReplicaContext? Context { get; set; }

    public ReplicaMetrics? Metrics { get; set; }

    public ServiceProvider? Services { get; set; }

    /// <summary>The class's multiplexed models; null when it has none.</summary>
    public ReplicaModelSets? Models { get; set; }

    /// <summary>The keys of <c>user_config</c> that are the platform's own.</summary>
    public IReadOnlyList<IUserConfigKey> ConfigKeys =>
    [
        .. Models is { } models ? [models] : (IUserConfigKey[])[],
        .. Batches is { Any: true } batches ? [batches] : (IUserConfigKey[])[],
        .. ModelKeys,
        .. Target is OnnxModelServer server ? [server.Batching] : (IUserConfigKey[])[],
    ];

    public object? Target { get; set; }

    public UserHookInvoker? Hooks { get; set; }

    /// <summary>The models that the object's constructor was given; they go after the object.</summary>
    public List<OnnxModel> InjectedModels { get; } = [];

    /// <summary>The keys of <c>user_config</c> that are about those.</summary>
    public ImmutableArray<ModelConfigKey> ModelKeys { get; set; } = [];

    /// <summary>What gathers calls of methods with <see cref="BatchAttribute"/>.</summary>
    public BatchedMethodSet? Batches { get; set; }

    public IActorHttpHandler? Http { get; set; }

    /// <summary>Whether the class can see the request it serves: through handles, its context, its log or services of its own.</summary>
    public bool SeesRequests { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        var started = time.GetTimestamp();
        var logger = Services?.GetService<ILoggerFactory>()?.CreateLogger("Serve.Replica");
        Batches?.Dispose();
        if (Hooks is { } hooks)
            await AttemptAsync(() => DisposeUserAsync(hooks), logger).ConfigureAwait(false);
        if (Models is { } models)
            await AttemptAsync(() => models.DisposeAsync().AsTask().WaitAsync(UserDisposalLimit, time), logger).ConfigureAwait(false);
        foreach (var model in InjectedModels)
            await AttemptAsync(() => DisposeModelAsync(model), logger).ConfigureAwait(false);
        if (logger is not null)
            LogEnded(logger, time.GetElapsedTime(started).TotalMilliseconds);
        if (Services is { } services)
            await AttemptAsync(() => services.DisposeAsync().AsTask(), logger: null);
        Metrics?.ObserveShutdown(time.GetElapsedTime(started));
        Metrics?.Dispose();
        Log?.Dispose();
        Code?.Dispose();

        // Whoever still holds the instance must not keep the user's assembly from unloading.
        Target = null;
        Models = null;
        Hooks = null;
        Batches = null;
        Http = null;
    }

    // On a thread of its own and not waited for within a turn: a disposal that never ends must not keep the rest.
    private Task DisposeUserAsync(UserHookInvoker hooks) =>
        turns.RunAsync(hooks, static hooks => hooks.DisposeAsync(), blocking: true).AsTask().WaitAsync(UserDisposalLimit, time);

    // It waits for runs under way.
    private Task DisposeModelAsync(OnnxModel model) => Task.Run(model.Dispose).WaitAsync(UserDisposalLimit, time);

    private static async Task AttemptAsync(Func<Task> dispose, ILogger? logger)
    {
        try
        {
            await dispose().ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            // The replica ends all the same: what else it holds must be given back.
            if (logger is not null)
                LogNotDisposed(logger, thrown);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Disposing the deployment's object or its models threw")]
    private static partial void LogNotDisposed(ILogger logger, Exception thrown);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica ended after {Milliseconds:0.0} ms")]
    private static partial void LogEnded(ILogger logger, double milliseconds);
}
