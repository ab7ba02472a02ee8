using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Definitions;
using Serve.Replica.Multiplexing;
using Serve.Replicas;
using Serve.Runtime;
using Serve.Runtime.Onnx;

namespace Serve.Replica.Instances;

/// <summary>A running replica: the user's object as an actor. Owns its place and the <c>user_config</c> in effect.</summary>
internal sealed partial class ReplicaInstance(ReplicaComponents parts, ILogger logger) : ActorInstance, IActorHttpHandler
{
    private readonly SemaphoreSlim _reconfiguring = new(1);
    private JsonObject? _config;

    // The part of it that was passed to the object.
    private JsonObject? _users;

    public override object Target => parts.Target!;

    public override ActorMethodTable Methods { get; } = ActorMethodTable.For(parts.Target!.GetType(), parts.Code!.Json)
        .Without(parts.Target.GetType().GetMethods().Where(method => DeploymentHookMethods.IsHook(method) || MultiplexedMethod.IsOne(method)).Select(method => method.Name))
        .With(parts.Batches!.Queued);

    public override bool SeesRequests => parts.SeesRequests;

    public override IActorCallObserver? Calls => parts.Metrics;

    public override IReadOnlyList<string> Notices =>
        [.. parts.Services!.GetService<IOnnxModels>() is OnnxModelLoader loader ? loader.Notices : [], .. parts.Target is IBuiltInDeployment builtIn ? builtIn.Notices : []];

    /// <inheritdoc/>
    public ValueTask<bool> TryHandleAsync(HttpContext context) => parts.Http?.TryHandleAsync(context) ?? ValueTask.FromResult(false);

    public override ValueTask CheckHealthAsync(CancellationToken cancellationToken) => new(parts.Hooks!.CheckHealthAsync(cancellationToken).AsTask().WaitAsync(cancellationToken));

    public override async ValueTask ReconfigureAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var update = JsonSerializer.Deserialize<ReplicaSettingsUpdate>(payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException("The settings of the replica are empty.");
        await _reconfiguring.WaitAsync(cancellationToken);
        try
        {
            parts.Context!.Place = update.Place;
            await TakeConfigAsync(update.Spec.UserConfig, cancellationToken);
            CheckLimit(update.Spec.MaxOngoingRequests);
            parts.RoutingStats?.Times = ReplicaStatsReporter.TimesOf(update.Spec.Router);
            if (update.Spec.Autoscaling is { } autoscaling)
                parts.AutoscalingStats?.Times = ReplicaStatsReporter.TimesOf(autoscaling);
        }
        finally
        {
            _reconfiguring.Release();
        }
    }

    /// <summary>Applies a <c>user_config</c> that differs from the current one: passes it to the object, except for the keys of the platform. If it is invalid or the hook throws, the current one remains in effect.</summary>
    public async ValueTask TakeConfigAsync(JsonObject? wanted, CancellationToken cancellationToken)
    {
        if (JsonNode.DeepEquals(_config, wanted))
            return;
        var keys = parts.ConfigKeys;
        var split = SplitUserConfig.Of(wanted, keys);
        if (JsonNode.DeepEquals(_users, split.Users))
        {
            Log.Reconfigured(logger);
        }
        else if (!parts.Hooks!.TakesConfig)
        {
            Log.NoHook(logger, Target.GetType().Name);
        }
        else
        {
            var time = parts.Time;
            var started = time.GetTimestamp();
            // A removed config is passed as an empty one, which restores all defaults.
            await parts.Hooks.ReconfigureAsync(split.Users ?? [], keys.Select(static key => key.Name), cancellationToken);
            parts.Metrics!.ObserveReconfigure(time.GetElapsedTime(started));
            Log.Reconfigured(logger);
        }

        split.Apply();
        (_config, _users) = (wanted, split.Users);
    }

    /// <summary>Logs a warning for batches that can never be full, because the replica admits too few callers.</summary>
    public void CheckLimit(int maxOngoingRequests)
    {
        foreach (var method in parts.Batches!.All.Where(method => method.Declared.SizeOf is null && method.Settings.MaxBatchSize > maxOngoingRequests))
            Log.TooFew(logger, maxOngoingRequests, method.Name, method.Settings.MaxBatchSize);
        if (Target is IBuiltInDeployment { MaxBatchSize: { } most } builtIn && most > maxOngoingRequests)
            Log.TooFew(logger, maxOngoingRequests, builtIn.BatchFunction, most);
    }

    public override async ValueTask DisposeAsync()
    {
        await parts.DisposeAsync();
        _reconfiguring.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5030, Level = LogLevel.Information, Message = "user_config has been applied")]
        public static partial void Reconfigured(ILogger logger);

        [LoggerMessage(EventId = 5031, Level = LogLevel.Warning, Message = "Batches of {Method} can never be full: max_ongoing_requests is {Limit}, but a batch may have {MaxBatchSize} items. Set it to at least twice the batch size")]
        public static partial void TooFew(ILogger logger, int limit, string method, int maxBatchSize);

        [LoggerMessage(EventId = 5032, Level = LogLevel.Warning, Message = "user_config is set, but {Class} has no Reconfigure(TConfig) to receive it")]
        public static partial void NoHook(ILogger logger, string @class);
    }
}
