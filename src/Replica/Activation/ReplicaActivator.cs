using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Hosting;
using Serve.Http;
using Serve.Replica.Batching;
using Serve.Replica.Definitions;
using Serve.Replica.Http;
using Serve.Replica.Instances;
using Serve.Replica.Loading;
using Serve.Replica.Logs;
using Serve.Replica.Multiplexing;
using Serve.Replica.Telemetry;
using Serve.Replicas;
using Serve.Runtime;

namespace Serve.Replica.Activation;

/// <summary>Starts replicas: loads the class, builds its services, runs its constructor, passes its <c>user_config</c> and runs its first health check.</summary>
/// <param name="assemblies">Packages that are loaded in this process.</param>
/// <param name="folders">Folders of the node.</param>
/// <param name="builtIn">The class of packages without an assembly; null if there is none.</param>
public sealed partial class ReplicaActivator(UserAssemblyCache assemblies, ReplicaFolders folders, BuiltInDeploymentClass? builtIn = null) : IActorActivator
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
            throw new InvalidOperationException($"A replica id must be app#deployment#suffix, but was '{start.ReplicaId}'.");
        var (package, logs) = (folders.PackageOf(start.PackageHash), folders.LogsOf(id));
        ReplicaLogRetention.Prune(logs);
        parts.LogFiles = new ReplicaLogFactory(logs, id);
        parts.Console = ReplicaConsole.Attach(id, parts.LogFiles);
        parts.Code = start.AssemblyFile is { } file
            ? assemblies.Acquire(start.PackageHash, Path.Combine(package, file))
            : UserAssemblyCache.BuiltIn(builtIn ?? throw new DefinitionException("The package has no assembly, and this process has no built-in deployments."));
        var type = (start.AssemblyFile is null ? builtIn!.Type : parts.Code.Assembly.GetType(start.TypeName))
            ?? throw new DefinitionException($"Class {start.TypeName} not found in {start.AssemblyFile ?? "the built-in deployments"}.");
        var hooks = HooksOf(type);
        parts.Context = new ReplicaContext(id, start, context.GpuIds);
        parts.Models = ReplicaModelSets.Of(ModelsOf(type), id, context, parts.Time);
        parts.Services = ReplicaServiceBuilder.Build(start, package, parts.Context, context, parts.LogFiles, parts.Code, hooks, parts.Models, type);
        var logger = parts.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Serve.Replica");
        try
        {
            return await ConstructAsync(parts, start, context, type, hooks, logger, cancellationToken);
        }
        catch (Exception thrown)
        {
            if (PlatformErrorClassifier.IsPlatformError(thrown))
                Log.Refused(logger, thrown.Message);
            else
                Log.StartFailed(logger, thrown);
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
        AttachBuiltIn(parts, context);
        parts.Http = await BindAsync(parts, context, failures, logger);
        var instance = new ReplicaInstance(parts, logger);
        await instance.TakeConfigAsync(start.Spec.UserConfig, cancellationToken);
        instance.CheckLimit(start.Spec.MaxOngoingRequests);
        await instance.CheckHealthAsync(cancellationToken);
        parts.RoutingStats = ReplicaStatsReporter.StartRouting(parts, context, start.Spec.Router, logger);
        parts.AutoscalingStats = ReplicaStatsReporter.StartAutoscaling(parts, context, start.Spec.Autoscaling, logger);

        var took = parts.Time.GetElapsedTime(started);
        parts.Metrics.ObserveInitialization(took);
        Log.Started(logger, type.FullName!, took.TotalMilliseconds);
        return instance;
    }

    private static void AttachBuiltIn(ReplicaComponents parts, ActorActivationContext context)
    {
        if (parts.Target is not IBuiltInDeployment builtIn)
            return;
        var metrics = parts.Metrics!.ForBatches(builtIn.BatchFunction);
        metrics.Length = () => builtIn.QueueLength;
        builtIn.Attach(metrics, context.Gate);
    }

    // Sequentially: the optimization of a model uses all CPUs.
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

    // A constructor cannot await, so it may block on work that it starts; that work must not need the turn that the constructor holds.
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

    private static async Task<IActorHttpHandler> BindAsync(ReplicaComponents parts, ActorActivationContext context, UserFailureLog failures, ILogger logger)
    {
        var development = parts.Services!.GetRequiredService<IHostEnvironment>().IsDevelopment();
        var errors = new ReplicaErrorResponder(parts.Context!.ReplicaId, development, failures, logger);
        try
        {
            var handler = new ReplicaHttpHandler(context, parts, errors);
            await handler.ValidateAsync();
            return handler;
        }
        catch (InvalidOperationException unbindable) when (!ReplicaEndpointBuilder.AsksForHttp(parts.Target!.GetType()))
        {
            // A Call that is used by handles only may have parameters that cannot be bound from a request.
            Log.Unbindable(logger, parts.Target.GetType().Name, unbindable.Message);
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

    private static partial class Log
    {
        [LoggerMessage(EventId = 5000, Level = LogLevel.Information, Message = "{Class} is ready after {Milliseconds:0.0} ms")]
        public static partial void Started(ILogger logger, string @class, double milliseconds);

        [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "{Class}.Call cannot be bound to HTTP and is available to handles only: {Reason}")]
        public static partial void Unbindable(ILogger logger, string @class, string reason);

        [LoggerMessage(EventId = 5002, Level = LogLevel.Error, Message = "The replica failed to start")]
        public static partial void StartFailed(ILogger logger, Exception thrown);

        [LoggerMessage(EventId = 5003, Level = LogLevel.Error, Message = "The replica failed to start: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
