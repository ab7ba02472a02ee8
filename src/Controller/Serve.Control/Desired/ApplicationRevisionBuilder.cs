using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Control.Desired;

/// <summary>Builds and validates an application's revision from its configuration and its code. All errors are reported at once.</summary>
public static class ApplicationRevisionBuilder
{
    /// <summary>Builds a revision.</summary>
    /// <param name="config">The requested configuration.</param>
    /// <param name="package">Its code.</param>
    /// <param name="defaultIsolation">Isolation if the configuration has none.</param>
    /// <param name="number">The revision's number.</param>
    /// <exception cref="DefinitionException">The configuration is invalid; lists every error.</exception>
    public static ApplicationRevision Build(ApplicationConfig config, ApplicationPackage package, IsolationMode defaultIsolation, long number)
    {
        List<string> errors = [];
        if (NameRules.NameProblem(config.Name) is { } nameProblem)
            errors.Add($"name: {nameProblem}.");
        var prefix = config.RoutePrefix switch { null => package.DefaultRoutePrefix(config.Name), ApplicationConfig.NoRoute => null, { } requested => requested };
        if (prefix is not null && (NameRules.RoutePrefixProblem(prefix) ?? package.RoutePrefixProblem(prefix)) is { } prefixProblem)
            errors.Add($"{config.Name}: route_prefix {prefixProblem}.");
        var isolation = config.Isolation ?? defaultIsolation;
        var deployments = BuildDeployments(config, package, isolation, errors);
        CheckScaling(config, deployments, errors);
        if (errors.Count > 0)
            throw new DefinitionException(errors);
        return new()
        {
            Number = number,
            // Without the path that it was built from, which exists on one machine only.
            Config = config with { ImportPath = package.ImportPath, Canary = null, Shadow = null },
            Package = package,
            Isolation = isolation,
            RoutePrefix = prefix,
            Deployments = deployments,
        };
    }

    /// <summary>Returns whether replacing one revision by the other would change nothing.</summary>
    public static bool AreSame(ApplicationRevision one, ApplicationRevision other) =>
        one.RoutePrefix == other.RoutePrefix
        && one.Isolation == other.Isolation
        && one.Package.Hash == other.Package.Hash
        && one.Ingress == other.Ingress
        && JsonNode.DeepEquals(one.Config.Args, other.Config.Args)
        && one.Config.ExternalScalerEnabled == other.Config.ExternalScalerEnabled
        && JsonNode.DeepEquals(ToJson(one.Config.AutoscalingPolicy), ToJson(other.Config.AutoscalingPolicy))
        && JsonNode.DeepEquals(ToJson(one.Deployments), ToJson(other.Deployments));

    private static string DescribePickers(ApplicationPackage package) =>
        package.PickerClasses.IsEmpty ? "the application has none" : $"those of the application: {string.Join(", ", package.PickerClasses)}";

    private static void CheckScaling(ApplicationConfig config, ImmutableSortedDictionary<string, DeploymentRevision> deployments, List<string> errors)
    {
        var autoscaled = deployments.Values.Where(deployment => deployment.Spec.Autoscaling is not null).Select(deployment => deployment.Spec.Name).ToList();
        if (config.ExternalScalerEnabled is true && autoscaled.Count > 0)
            errors.Add($"{config.Name}: external_scaler_enabled must be false while deployments have autoscaling_config: {string.Join(", ", autoscaled)}. Remove one of them.");
        if (config.AutoscalingPolicy is not null && autoscaled.Count == 0)
            errors.Add($"{config.Name}: autoscaling_policy requires a deployment with autoscaling_config.");
    }

    private static JsonNode? ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, ServeJson.Options);

    private static ImmutableSortedDictionary<string, DeploymentRevision> BuildDeployments(
        ApplicationConfig config, ApplicationPackage package, IsolationMode isolation, List<string> errors)
    {
        var names = package.Deployments.Select(definition => definition.Options.Name!).ToList();
        foreach (var unknown in config.Deployments.Where(options => !names.Contains(options.Name!, StringComparer.Ordinal)))
        {
            var nearest = unknown.Name is null ? null : NearestNameFinder.Find(unknown.Name, names);
            var hint = nearest is null ? $"its deployments: {string.Join(", ", names)}" : $"did you mean '{nearest}'?";
            errors.Add($"{config.Name}: unknown deployment '{unknown.Name}' of {config.ImportPath}; {hint}");
        }

        var deployments = ImmutableSortedDictionary.CreateBuilder<string, DeploymentRevision>(StringComparer.Ordinal);
        foreach (var definition in package.Deployments)
        {
            var name = definition.Options.Name!;
            try
            {
                var spec = DeploymentSpecResolver.Merge(definition.Options, config.Deployments.FirstOrDefault(options => options.Name == name));
                if (NameRules.NameProblem(spec.Name) is { } problem)
                    errors.Add($"{config.Name}: deployment name {problem}.");
                if (spec.Router.RequestRouterClass is { } picker && package.FindPickerClass(picker) is null)
                    errors.Add($"{config.Name}: {name}.request_router_config.request_router_class: '{picker}' is not a public class derived from ReplicaPicker; {DescribePickers(package)}");
                if (!deployments.TryAdd(name, DeploymentRevisionFactory.Create(spec, definition, package.Hash, config.Args, isolation)))
                    errors.Add($"{config.Name}: duplicate deployment name '{name}'.");
            }
            catch (DefinitionException invalid)
            {
                errors.AddRange(invalid.Errors.Select(error => $"{config.Name}: {error}"));
            }
        }

        if (!deployments.ContainsKey(package.Ingress) && errors.Count == 0)
            errors.Add($"{config.Name}: the package does not contain its ingress deployment '{package.Ingress}'.");
        return deployments.ToImmutable();
    }
}
