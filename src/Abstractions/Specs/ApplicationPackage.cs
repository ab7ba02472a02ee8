using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Serve.Specs;

/// <summary>A package: built and inspected code of an application, in a folder named by the hash of its content.</summary>
public sealed record ApplicationPackage
{
    /// <summary>Route prefix of models, in front of the name: the path that the Open Inference Protocol defines.</summary>
    public const string ModelPrefix = "/v2/models/";

    /// <summary>SHA-256 of the content in hex; identifies the code.</summary>
    public required string Hash { get; init; }

    /// <summary>Absolute path of the folder on the machine that built it. Not stored: other machines find the package by its hash.</summary>
    [JsonIgnore]
    public string Directory { get; init; } = "";

    /// <summary>The <c>import_path</c> that names this package on every node: <c>package:HASH</c>, with <c>:TYPE</c> if an ingress class was requested. Not stored.</summary>
    [JsonIgnore]
    public string ImportPath { get => field ?? $"package:{Hash}"; init; }

    /// <summary>The assembly within <see cref="Directory"/>, with its <c>.deps.json</c> in the same folder. Null for a model, which has no code.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>All deployments, including the ingress.</summary>
    public required ImmutableArray<DeploymentDefinition> Deployments { get; init; }

    /// <summary>The deployment that serves HTTP: the one that no other depends on.</summary>
    public required string Ingress { get; init; }

    /// <summary>Full names of the package's classes that are routing policies: <see cref="DeploymentSpec.Router"/>.</summary>
    public ImmutableArray<string> PickerClasses { get; init; } = [];

    /// <summary>Returns the full name of a routing policy.</summary>
    /// <param name="name">Its full or simple name.</param>
    /// <returns>Null if there is no such class, or several of that simple name.</returns>
    public string? FindPickerClass(string name)
    {
        string[] found = [.. PickerClasses.Where(known => known == name || known.EndsWith("." + name, StringComparison.Ordinal))];
        return found.Contains(name) ? name : found is [var only] ? only : null;
    }

    /// <summary>Returns the default route prefix of an application.</summary>
    /// <param name="application">Name of the application.</param>
    /// <returns><c>/INGRESS</c>, or <c>/v2/models/APPLICATION</c> for a model.</returns>
    public string DefaultRoutePrefix(string application) => AssemblyFile is null ? ModelPrefix + application : "/" + Ingress;

    /// <summary>Returns why an application of this package cannot have a route prefix.</summary>
    /// <param name="prefix">A well-formed route prefix.</param>
    /// <returns>The end of a sentence that starts with <c>route_prefix</c>; null if the prefix is allowed.</returns>
    public string? RoutePrefixProblem(string prefix) => AssemblyFile is not null || IsModelPrefix(prefix)
        ? null
        : $"'{prefix}' is not allowed for a model: clients of the Open Inference Protocol expect it at {ModelPrefix}NAME. Remove route_prefix";

    private static bool IsModelPrefix(string prefix) =>
        prefix.StartsWith(ModelPrefix, StringComparison.Ordinal) && prefix.IndexOf('/', ModelPrefix.Length) < 0;
}
