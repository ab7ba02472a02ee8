using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Specs;

namespace Serve.Control;

/// <summary>Makes a revision of what was asked for and what was found in the code, and finds everything wrong with it at once.</summary>
public static class ApplicationRevisionBuilder
{
    /// <summary>Makes a revision, succeeding another if there is one.</summary>
    /// <param name="config">What was asked for.</param>
    /// <param name="package">Its code.</param>
    /// <param name="defaultIsolation">For a config that states none.</param>
    /// <param name="before">The revision it succeeds.</param>
    /// <exception cref="DefinitionException">Everything that is wrong.</exception>
    public static ApplicationRevision Build(
        ApplicationConfig config, ApplicationPackage package, IsolationMode defaultIsolation, ApplicationRevision? before)
    {
        List<string> errors = [];
        if (NameRules.NameProblem(config.Name) is { } nameProblem)
            errors.Add($"name: {nameProblem}.");
        var prefix = config.RoutePrefix switch { null => package.DefaultRoutePrefix(config.Name), ApplicationConfig.NoRoute => null, { } asked => asked };
        if (prefix is not null && (NameRules.RoutePrefixProblem(prefix) ?? package.RoutePrefixProblem(prefix)) is { } prefixProblem)
            errors.Add($"{config.Name}: route_prefix {prefixProblem}.");
        var isolation = config.Isolation ?? defaultIsolation;
        var deployments = Deployments(config, package, isolation, before, errors);
        if (errors.Count > 0)
            throw new DefinitionException(errors);
        return new()
        {
            Number = (before?.Number ?? 0) + 1,
            Change = RevisionChange.Deploy,
            Config = config,
            Package = package,
            Isolation = isolation,
            RoutePrefix = prefix,
            Deployments = deployments,
        };
    }

    /// <summary>Whether two revisions want the very same, so that going from one to the other changes nothing.</summary>
    public static bool AreSame(ApplicationRevision one, ApplicationRevision other) =>
        one.RoutePrefix == other.RoutePrefix
        && one.Isolation == other.Isolation
        && one.Package.Hash == other.Package.Hash
        && one.Ingress == other.Ingress
        && JsonNode.DeepEquals(one.Config.Args, other.Config.Args)
        && JsonNode.DeepEquals(ToJson(one.Deployments), ToJson(other.Deployments));

    private static JsonNode? ToJson(ImmutableSortedDictionary<string, DeploymentRevision> deployments) =>
        JsonSerializer.SerializeToNode(deployments, ServeJson.Options);

    private static ImmutableSortedDictionary<string, DeploymentRevision> Deployments(
        ApplicationConfig config, ApplicationPackage package, IsolationMode isolation, ApplicationRevision? before, List<string> errors)
    {
        var names = package.Deployments.Select(definition => definition.Options.Name!).ToList();
        foreach (var unknown in config.Deployments.Where(options => !names.Contains(options.Name!, StringComparer.Ordinal)))
        {
            var nearest = unknown.Name is null ? null : NearestNameFinder.Find(unknown.Name, names);
            var hint = nearest is null ? $"it has {string.Join(", ", names)}" : $"did you mean '{nearest}'?";
            errors.Add($"{config.Name}: there is no deployment '{unknown.Name}' in {config.ImportPath}; {hint}");
        }

        var targets = ImmutableSortedDictionary.CreateBuilder<string, DeploymentRevision>(StringComparer.Ordinal);
        foreach (var definition in package.Deployments)
        {
            var name = definition.Options.Name!;
            try
            {
                var spec = DeploymentSpecResolver.Merge(definition.Options, config.Deployments.FirstOrDefault(options => options.Name == name));
                if (NameRules.NameProblem(spec.Name) is { } problem)
                    errors.Add($"{config.Name}: deployment name {problem}.");
                if (!targets.TryAdd(name, KeepScale(DeploymentRevisionFactory.Create(spec, definition, package.Hash, config.Args, isolation), before?.Find(name))))
                    errors.Add($"{config.Name}: two deployments are named '{name}'.");
            }
            catch (DefinitionException wrong)
            {
                errors.AddRange(wrong.Errors.Select(error => $"{config.Name}: {error}"));
            }
        }

        if (!targets.ContainsKey(package.Ingress) && errors.Count == 0)
            errors.Add($"{config.Name}: the ingress deployment '{package.Ingress}' is not in the package.");
        return targets.ToImmutable();
    }

    // Somebody who scaled and then deploys with the number of replicas as it was before does not mean to take it back.
    private static DeploymentRevision KeepScale(DeploymentRevision target, DeploymentRevision? before) =>
        before is not null && before.ConfiguredReplicas == target.ConfiguredReplicas ? target.ScaledTo(before.Spec.NumReplicas) : target;
}
