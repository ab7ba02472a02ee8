using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Replica.Definitions;
using Serve.Replica.Http;
using Serve.Replica.Instances;
using Serve.Replica.Loading;
using Serve.Replica.Logs;
using Serve.Replica.Multiplexing;
using Serve.Replicas;
using Serve.Routing;
using Serve.Runtime;
using Serve.Runtime.Onnx;

namespace Serve.Replica.Activation;

/// <summary>Builds the services of a replica: those of the platform, then those that the class registers.</summary>
internal static class ReplicaServiceBuilder
{
    public static ServiceProvider Build(
        ReplicaStartRequest start, string package, ReplicaContext replica, ActorActivationContext actor, ReplicaLogFactory log, UserAssemblyLease code, DeploymentHookMethods hooks,
        ReplicaModelSets? models, Type type)
    {
        var process = actor.Services;
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            logging.AddProvider(log.Provider);
            if (process.GetService<ILoggerFactory>() is { } processLog)
                logging.AddProvider(new ProcessLoggerProvider(processLog, replica.ReplicaId));
            // Routing and endpoints log every request below Warning; the gateway already does.
            logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning);
        });
        services.AddSingleton<IReplicaContext>(replica);
        services.AddSingleton<IWebHostEnvironment>(_ => new ReplicaHostEnvironment(
            replica.DeploymentId.Application, package, process.GetService<IHostEnvironment>()));
        services.AddSingleton<IHostEnvironment>(static provider => provider.GetRequiredService<IWebHostEnvironment>());
        services.AddSingleton<IConfiguration>(_ => new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(package, "appsettings.json"), optional: true)
            .AddEnvironmentVariables()
            .Build());
        services.AddSingleton<IOnnxModels>(provider => new OnnxModelLoader(
            PlaceOf(start, package, replica, process), provider.GetRequiredService<ILoggerFactory>().CreateLogger("Serve.Onnx")));
        services.AddSingleton(process.GetService<TimeProvider>() ?? TimeProvider.System);
        services.AddHttpClient();
        AddEndpoints(services, code.Json.TypeInfoResolver!);
        AddHandles(services, start, replica, process, code.Assembly);
        models?.AddTo(services, type.GetConstructors().SelectMany(each => each.GetParameters()).Select(each => MultiplexedMethod.ModelOf(each.ParameterType)).OfType<Type>());
        hooks.ConfigureServices?.Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, [services], culture: null);
        services.AddSingleton(MetadataMiddlewareSelection.Of(services));
        return services.BuildServiceProvider();
    }

    private static OnnxLoadContext PlaceOf(ReplicaStartRequest start, string package, ReplicaContext replica, IServiceProvider process) => new()
    {
        Folders = [package, Environment.CurrentDirectory],
        GpuIds = [.. replica.GpuIds],
        NumGpus = start.Spec.Resources.NumGpus,
        // A model without code that ends its process must not end the node.
        Probe = start is { AssemblyFile: null, Isolation: IsolationMode.None } ? process.GetService<OnnxModelProbe>() : null,
        // Replicas in one process share its threads; replicas with a process of their own divide the CPUs.
        Threads = start.Isolation == IsolationMode.Replica ? Math.Max(1, Environment.ProcessorCount / Math.Max(1, start.Place.WorldSize)) : Environment.ProcessorCount,
    };

    private static void AddEndpoints(ServiceCollection services, IJsonTypeInfoResolver resolver)
    {
        services.AddRouting();
        services.AddSingleton(_ => new DiagnosticListener("Serve.Replica"));
        services.AddSingleton<DiagnosticSource>(provider => provider.GetRequiredService<DiagnosticListener>());
        // Binding errors become exceptions that name the parameter.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolver = resolver);
    }

    private static void AddHandles(
        ServiceCollection services, ReplicaStartRequest start, ReplicaContext replica, IServiceProvider process, Assembly assembly)
    {
        foreach (var (typeName, deployment) in start.DeploymentsByType)
        {
            if (assembly.GetType(typeName) is not { } type)
                continue;
            var handle = typeof(DeploymentHandle<>).MakeGenericType(type);
            services.AddSingleton(handle, _ => Activator.CreateInstance(
                handle, HandleTargetFactory.Of(process, deployment, replica.DeploymentId.Application), deployment)!);
        }
    }
}

/// <summary>Creates the call targets of a replica's handles, through the router of the process.</summary>
internal static class HandleTargetFactory
{
    public static ICallTarget Of(IServiceProvider process, string deployment, string application) =>
        process.GetService<IHandleFactory>() switch
        {
            // Within the revision of the replica.
            RouteTable routes => routes.GetRevisionTarget(deployment, application),
            { } factory => factory.GetTarget(deployment, application),
            null => throw new InvalidOperationException($"Cannot create a handle to {application}/{deployment}: this process has no router."),
        };
}
