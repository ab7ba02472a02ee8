using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Serve.Specs;

/// <summary>An application's code, built and inspected: a folder named by the hash of its content, and what was found in it.</summary>
public sealed record ApplicationPackage
{
    /// <summary>What comes before a model's name in its route prefix: the Open Inference Protocol's own path.</summary>
    public const string ModelPrefix = "/v2/models/";

    /// <summary>SHA-256 of the content, hex. Equal hashes are equal code.</summary>
    public required string Hash { get; init; }

    /// <summary>Absolute path of the folder on the machine that built it. Not stored: other machines find the package by its hash.</summary>
    [JsonIgnore]
    public string Directory { get; init; } = "";

    /// <summary>The assembly within <see cref="Directory"/>; its <c>.deps.json</c> lies beside it. Null for a model, which has no code.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>The deployments found, the ingress among them.</summary>
    public required ImmutableArray<DeploymentDefinition> Deployments { get; init; }

    /// <summary>The deployment that answers HTTP: the one no other depends on.</summary>
    public required string Ingress { get; init; }

    /// <summary>Where an application of it answers when it is not told.</summary>
    /// <param name="application">The application's name.</param>
    /// <returns><c>/INGRESS</c>, or <c>/v2/models/APPLICATION</c> for a model.</returns>
    public string DefaultRoutePrefix(string application) => AssemblyFile is null ? ModelPrefix + application : "/" + Ingress;

    /// <summary>Why an application of it cannot answer at a route prefix.</summary>
    /// <param name="prefix">A well-formed one.</param>
    /// <returns>The end of a sentence that begins with <c>route_prefix</c>; null when it can.</returns>
    public string? RoutePrefixProblem(string prefix) => AssemblyFile is not null || IsModelPrefix(prefix)
        ? null
        : $"'{prefix}' cannot be a model's, since clients of the Open Inference Protocol look for it at {ModelPrefix}NAME: remove route_prefix";

    private static bool IsModelPrefix(string prefix) =>
        prefix.StartsWith(ModelPrefix, StringComparison.Ordinal) && prefix.IndexOf('/', ModelPrefix.Length) < 0;
}
