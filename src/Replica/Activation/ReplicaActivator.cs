using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Hosting;
using Serve.Replica.Batching;
using Serve.Replica.Definitions;
using Serve.Replica.Http;
using Serve.Replica.Instances;
using Serve.Replica.Loading;
using Serve.Replica.Logs;
using Serve.Replica.ModelServing;
using Serve.Replica.Multiplexing;
using Serve.Replica.Telemetry;
using Serve.Replicas;
using Serve.Runtime;

namespace Serve.Replica.Activation;

/// <summary>Makes replicas: loads the class, builds its services, runs its constructor, hands it its <c>user_config</c> and asks whether it is well. Stateless.</summary>
/// <param name="assemblies">The packages loaded in this process.</param>
public sealed partial class ReplicaActivator(UserAssemblyCache assemblies) : IActorActivator
{
    /// <inheritdoc/>
    public string Kind => ReplicaStartRequest.ActorKind;

    /// <inheritdoc/>
    public async ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken)
    {
        var start = JsonSerializer.Deserialize<ReplicaStartRequest>(context.Spec.Payload.Span, ServeJson.Options)
            ?? throw new InvalidOperationException("The replica's payload is empty.");
        var parts = new ReplicaComponents(context.Turns, context.Services.GetService<TimeProvider>() ?? TimeProvider.System);

        try
        {
            return await StartAsync(parts, start, context, cancellationToken);
        }
        catch
        {
            await parts.DisposeAsync();
            throw;
        }
    }

    private async Task<ActorInstance> StartAsync(ReplicaComponents parts, ReplicaStartRequest start, ActorActivationContext context, CancellationToken cancellationToken)
    {
        if (!ReplicaId.TryParse(start.ReplicaId, out var id))
            throw new InvalidOperationException($"'{start.ReplicaId}' is no replica id; it is written app#deployment#suffix.");
        ReplicaLogRetention.Prune(start.LogDirectory);
        parts.Log = new ReplicaLogFactory(start.LogDirectory, id);
        parts.Code = start.AssemblyFile is { } file
            ? assemblies.Acquire(start.PackageHash, Path.Combine(start.PackageDirectory, file))
            : UserAssemblyCache.BuiltIn();
        var type = parts.Code.Assembly.GetType(start.TypeName)
            ?? throw new DefinitionException($"{start.AssemblyFile ?? "The replica room"} has no class {start.TypeName}.");
        var hooks = HooksOf(type);
        parts.Context = new ReplicaContext(id, start, context.GpuIds);
        parts.Models = ReplicaModelSets.Of(ModelsOf(type), id, context, parts.Time);
        parts.Services = ReplicaServiceBuilder.Build(start, parts.Context, context, parts.Log, parts.Code, hooks, parts.Models, type);
        var logger = parts.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Serve.Replica");
        try
        {
            return await ConstructAsync(parts, start, context, type, hooks, logger, cancellationToken);
        }
        catch (Exception thrown)
        {
            if (PlatformErrorClassifier.IsPlatformError(thrown))
                LogRefused(logger, thrown.Message);
            else
                LogStartFailed(logger, thrown);
            throw;
        }
    }

    private static async Task<ActorInstance> ConstructAsync(
        ReplicaComponents parts, ReplicaStartRequest start, ActorActivationContext context, Type type, DeploymentHookMethods hooks, ILogger logger, CancellationToken cancellationToken)
    {
        var started = parts.Time.GetTimestamp();
        var constructor = type.GetConstructors().Single();
        var arguments = OutsideTurns(() => new ConstructorArgumentResolver(start, parts.Context!, parts.Services!, context.Services).For(constructor));
        parts.ModelKeys = [.. constructor.GetParameters().Where(InjectedModelSettings.IsModel).SelectMany(InjectedModelSettings.KeysOf)
            .Select(key => new ModelConfigKey(key, UserJsonReader.TryFind(start.Spec.UserConfig, key, out var value) ? value : null, logger))];
        await LoadModelsAsync(parts, arguments, cancellationToken);
        parts.Target = OutsideTurns(() => constructor.Invoke(BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null));
        parts.Hooks = new UserHookInvoker(parts.Target, hooks);
        parts.Models?.Bind(parts.Target, logger);
        cancellationToken.ThrowIfCancellationRequested();

        parts.Metrics = new ReplicaMetrics(parts.Context!.ReplicaId, context.Gate);
        parts.SeesRequests = constructor.GetParameters().Length > 0 || hooks.ConfigureServices is not null || parts.Target is IIngress;
        var failures = new UserFailureLog(logger);
        parts.Batches = BatchedMethodSet.Of(parts.Target, new(context, failures, parts.Time, parts.SeesRequests), parts.Metrics);
        (parts.Target as OnnxModelServer)?.Batching.Attach(parts.Metrics, context.Gate);
        parts.Http = Bind(parts, context, failures, logger);
        var instance = new ReplicaInstance(parts, context, logger);
        await instance.TakeConfigAsync(start.Spec.UserConfig, cancellationToken);
        instance.CheckLimit(start.Spec.MaxOngoingRequests);
        await instance.CheckHealthAsync(cancellationToken);

        var took = parts.Time.GetElapsedTime(started);
        parts.Metrics.ObserveInitialization(took);
        LogStarted(logger, type.FullName!, took.TotalMilliseconds);
        return instance;
    }

    // One after the other: each uses all CPUs while it is optimized.
    private static async Task LoadModelsAsync(ReplicaComponents parts, object?[] arguments, CancellationToken cancellationToken)
    {
        for (var index = 0; index < arguments.Length; index++)
        {
            if (arguments[index] is not InjectedModelSettings settings)
                continue;
            var model = await parts.Services!.GetRequiredService<IOnnxModels>().LoadAsync(settings.Path, settings.Options, cancellationToken);
            parts.InjectedModels.Add(model);
            arguments[index] = model;
        }
    }

    // A constructor cannot await, so it may wait for what it starts: that must not need this actor's turn, which the constructor has.
    private static T OutsideTurns<T>(Func<T> construct)
    {
        var turns = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return construct();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(turns);
        }
    }

    private static IActorHttpHandler Bind(ReplicaComponents parts, ActorActivationContext context, UserFailureLog failures, ILogger logger)
    {
        var development = parts.Services!.GetRequiredService<IHostEnvironment>().IsDevelopment();
        var errors = new ReplicaErrorResponder(parts.Context!.ReplicaId, development, failures, logger);
        try
        {
            return new ReplicaHttpHandler(context, parts, errors);
        }
        catch (InvalidOperationException unbindable) when (!ReplicaEndpointBuilder.AsksForHttp(parts.Target!.GetType()))
        {
            // A Call that only handles use may take what no HTTP request can carry.
            LogUnbindable(logger, parts.Target.GetType().Name, unbindable.Message);
            return new UnboundHttpHandler(context.Gate, unbindable.Message);
        }
    }

    private static DeploymentHookMethods HooksOf(Type type)
    {
        List<string> errors = [];
        var hooks = DeploymentHookMethods.Of(type, errors);
        return errors.Count == 0 ? hooks : throw new DefinitionException(errors);
    }

    private static IReadOnlyList<MultiplexedMethod> ModelsOf(Type type)
    {
        List<string> errors = [];
        var models = MultiplexedMethod.Of(type, errors);
        return errors.Count == 0 ? models : throw new DefinitionException(errors);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Class} is ready after {Milliseconds:0.0} ms")]
    private static partial void LogStarted(ILogger logger, string @class, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Class}.Call cannot be bound to HTTP and is left to handles: {Reason}")]
    private static partial void LogUnbindable(ILogger logger, string @class, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The replica could not start")]
    private static partial void LogStartFailed(ILogger logger, Exception thrown);

    [LoggerMessage(Level = LogLevel.Error, Message = "The replica could not start. {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
