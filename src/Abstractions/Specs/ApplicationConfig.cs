using System.Text.Json.Nodes;

namespace Serve.Specs;

/// <summary>One application as a config file, the CLI or a REST body asks for it: an entry of <c>applications</c>.</summary>
public sealed record ApplicationConfig
{
    /// <summary>The route prefix of an application that has none: reachable by handles only. Written <c>null</c> in a file.</summary>
    public const string NoRoute = "";

    /// <summary>Unique on the node. Letters, digits, '-', '_' and '.'. Default <c>default</c>.</summary>
    public string Name { get; init; } = "default";

    /// <summary>Where HTTP requests reach it: starts with '/', has no trailing '/' and no braces. Default <c>/{ingress deployment's name}</c>, and <c>/v2/models/{Name}</c> for a model; <see cref="NoRoute"/> for none.</summary>
    public string? RoutePrefix { get; init; }

    /// <summary>What to deploy: a <c>.cs</c> file, a project, <c>Assembly.dll[:Type]</c>, an <c>.onnx</c> file or a folder of a model's versions, or <c>package:HASH</c> for one that was uploaded.</summary>
    public required string ImportPath { get; init; }

    /// <summary>Constructor parameters by name, for those that are neither services nor handles.</summary>
    public JsonObject? Args { get; init; }

    /// <summary>Which process its replicas live in. Default: what the node was started with.</summary>
    public IsolationMode? Isolation { get; init; }

    /// <summary>Settings by deployment name; they win over the code's own, key by key.</summary>
    public IReadOnlyList<DeploymentOptions> Deployments { get; init; } = [];
}
