using System.Reflection;
using Serve.Replica.Batching;
using Serve.Replica.Multiplexing;
using Serve.Specs;

namespace Serve.Replica.Definitions;

/// <summary>Reads a class with <see cref="DeploymentAttribute"/> by reflection, and collects its errors.</summary>
internal sealed class DeploymentClassReader
{
    private DeploymentClassReader(Type type, DeploymentOptions options) => (Type, Options) = (type, options);

    public Type Type { get; }

    public DeploymentOptions Options { get; private set; }

    public string Name => Options.Name!;

    public IReadOnlyList<HandleParameter> Handles { get; private set; } = [];

    public List<string> Errors { get; } = [];

    public static bool IsDeployment(Type type) => type.IsDefined(typeof(DeploymentAttribute), inherit: false);

    public static DeploymentClassReader Read(Type type)
    {
        var options = type.GetCustomAttribute<DeploymentAttribute>(inherit: false)!.ToOptions();
        if (type.GetCustomAttribute<AutoscalingAttribute>(inherit: false)?.ToOptions() is { } autoscaling)
            options = options with { NumReplicas = options.NumReplicas ?? ReplicaCount.Auto, AutoscalingConfig = autoscaling };
        var found = new DeploymentClassReader(type, options with { Name = options.Name ?? type.Name.Split('`')[0] });
        found.CheckOptions();
        found.ReadShape();
        return found;
    }

    private void CheckOptions()
    {
        try
        {
            DeploymentSpecResolver.Merge(Options, file: null);
        }
        catch (DefinitionException error)
        {
            Errors.AddRange(error.Errors.Select(line => $"[Deployment] of {Type.FullName}: {line}"));
        }
    }

    private void ReadShape()
    {
        var kind = Type switch
        {
            { IsAbstract: true, IsSealed: true } => "static",
            { IsAbstract: true } => "abstract",
            { ContainsGenericParameters: true } => "generic",
            _ => null,
        };
        if (kind is not null)
        {
            Errors.Add($"{Type.FullName} is {kind} and cannot be instantiated. A deployment must be a concrete class.");
            return;
        }

        try
        {
            ReadConstructor();
            DeploymentHookMethods.Of(Type, Errors);
            DeploymentMethodFinder.Check(Type, Errors);
            MultiplexedMethod.Of(Type, Errors);
            ReadBatches();
        }
        catch (Exception error) when (error is FileNotFoundException or FileLoadException or TypeLoadException)
        {
            Errors.Add($"{Type.FullName} references an assembly or type that is not in the package: {error.Message}");
        }
    }

    private void ReadBatches()
    {
        var batched = BatchMethodDefinition.Of(Type, Errors).Where(method => method.SizeOf is null).Select(method => method.Settings);
        if (Options.MaxOngoingRequests is null && BatchCallerLimits.Of(batched) is { } callers)
            Options = Options with { MaxOngoingRequests = callers };
    }

    private void ReadConstructor()
    {
        var constructors = Type.GetConstructors();
        if (constructors.Length != 1)
        {
            Errors.Add(constructors.Length == 0
                ? $"{Type.FullName} has no public constructor."
                : $"{Type.FullName} has {constructors.Length} public constructors; a deployment must have exactly one.");
            return;
        }

        Handles = [.. constructors[0].GetParameters()
            .Where(parameter => HandleParameter.IsHandle(parameter.ParameterType))
            .Select(HandleParameter.Of)];
    }
}
