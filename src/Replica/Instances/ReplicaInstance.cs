using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Definitions;
using Serve.Replica.ModelServing;
using Serve.Replica.Multiplexing;
using Serve.Replicas;
using Serve.Runtime;

namespace Serve.Replica.Instances;

/// <summary>A live replica: the user's object as an actor. The one writer of its rank, its world size and the <c>user_config</c> in force.</summary>
internal sealed partial class ReplicaInstance(ReplicaComponents parts, ActorActivationContext actor, ILogger logger) : ActorInstance
{
    private readonly SemaphoreSlim _reconfiguring = new(1);
    private JsonObject? _config;

    // What of it the object was handed.
    private JsonObject? _users;

    public override object Target => parts.Target!;

    public override ActorMethodTable Methods { get; } = ActorMethodTable.For(parts.Target!.GetType(), parts.Code!.Json)
        .Without(parts.Target.GetType().GetMethods().Where(method => DeploymentHookMethods.IsHook(method) || MultiplexedMethod.IsOne(method)).Select(method => method.Name))
        .With(parts.Batches!.Queued);

    public override IActorHttpHandler? Http => parts.Http;

    public override bool SeesRequests => parts.SeesRequests;

    public override IActorCallObserver? Calls => parts.Metrics;

    public override async ValueTask CheckHealthAsync(CancellationToken cancellationToken) => await actor.Turns
        .RunAsync((parts.Hooks!, cancellationToken), static state => state.Item1.CheckHealthAsync(state.cancellationToken))
        .AsTask().WaitAsync(cancellationToken);

    public override async ValueTask ReconfigureAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var update = JsonSerializer.Deserialize<ReplicaSettingsUpdate>(payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException("The replica's new settings are empty.");
        await _reconfiguring.WaitAsync(cancellationToken);
        try
        {
            parts.Context!.Move(update.Rank, update.WorldSize);
            await TakeConfigAsync(update.Spec.UserConfig, cancellationToken);
            CheckLimit(update.Spec.MaxOngoingRequests);
        }
        finally
        {
            _reconfiguring.Release();
        }
    }

    /// <summary>Hands the object its <c>user_config</c>, and the platform what of it is its own, if that differs from the one in force. What is wrong with it, or the hook throws, leaves the old one in force.</summary>
    public async ValueTask TakeConfigAsync(JsonObject? wanted, CancellationToken cancellationToken)
    {
        if (JsonNode.DeepEquals(_config, wanted))
            return;
        var keys = parts.ConfigKeys;
        var split = SplitUserConfig.Of(wanted, keys);
        if (JsonNode.DeepEquals(_users, split.Users))
        {
            LogReconfigured(logger);
        }
        else if (!parts.Hooks!.TakesConfig)
        {
            LogNoHook(logger, Target.GetType().Name);
        }
        else
        {
            var time = parts.Time;
            var started = time.GetTimestamp();
            // A config that was taken away is an empty one: every value is at its default again.
            await actor.Turns.RunAsync(
                (parts.Hooks, Users: split.Users ?? [], keys, cancellationToken),
                static state => state.Hooks.ReconfigureAsync(state.Users, state.keys.Select(static key => key.Name), state.cancellationToken));
            parts.Metrics!.ObserveReconfigure(time.GetElapsedTime(started));
            LogReconfigured(logger);
        }

        split.Apply();
        (_config, _users) = (wanted, split.Users);
    }

    /// <summary>Warns where batches can never fill, because the replica lets too few callers in.</summary>
    public void CheckLimit(int maxOngoingRequests)
    {
        foreach (var method in parts.Batches!.All.Where(method => method.Declared.SizeOf is null && method.Settings.MaxBatchSize > maxOngoingRequests))
            LogTooFew(logger, maxOngoingRequests, method.Name, method.Settings.MaxBatchSize);
        if (Target is OnnxModelServer { Batching.Settings: { Enabled: true, Queue.MaxBatchSize: var most } } && most > maxOngoingRequests)
            LogTooFew(logger, maxOngoingRequests, ModelBatchingConfigKey.Function, most);
    }

    public override async ValueTask DisposeAsync()
    {
        await parts.DisposeAsync();
        _reconfiguring.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "user_config is in force")]
    private static partial void LogReconfigured(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "max_ongoing_requests is {Limit}, so batches of {Method}, which may have {MaxBatchSize} items, never fill: set it to twice as many or more")]
    private static partial void LogTooFew(ILogger logger, int limit, string method, int maxBatchSize);

    [LoggerMessage(Level = LogLevel.Warning, Message = "user_config is set, but {Class} has no Reconfigure(TConfig) to take it")]
    private static partial void LogNoHook(ILogger logger, string @class);
}
