using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Requested configuration of one application, from a config file, the CLI or a REST body: an entry of <c>applications</c>.</summary>
public sealed record ApplicationConfig
{
    /// <summary>Route prefix of an application without HTTP, which is reachable by handles only. Written <c>null</c> in a file.</summary>
    public const string NoRoute = "";

    /// <summary>Name, unique within the cluster: letters, digits, '-', '_' and '.'. Default <c>default</c>.</summary>
    [ConfigKey(ConfigFormat.Name)]
    public string Name { get; init; } = "default";

    /// <summary>
    /// URL path of the application: starts with '/', has no trailing '/' and no braces. Default <c>/{ingress deployment}</c>, and <c>/v2/models/{Name}</c> for a
    /// model; <see cref="NoRoute"/> disables HTTP.
    /// </summary>
    [ConfigKey(ConfigFormat.RoutePrefix)]
    public string? RoutePrefix { get; init; }

    /// <summary>Code or model to deploy: a <c>.cs</c> file, a project, <c>Assembly.dll[:Type]</c>, an <c>.onnx</c> file or a folder with the versions of a model, or <c>package:HASH</c> for an uploaded package.</summary>
    [ConfigKey(ConfigFormat.NonEmptyText, Required = "names a .cs file, a project, Assembly.dll[:Type] or package:HASH")]
    public required string ImportPath { get; init; }

    /// <summary>Constructor arguments by parameter name, for parameters that are neither services nor handles.</summary>
    public JsonObject? Args { get; init; }

    /// <summary>Isolation of the replicas. Default: the isolation that the node was started with.</summary>
    public IsolationMode? Isolation { get; init; }

    /// <summary>
    /// Whether, with isolation <c>application</c>, new code is hosted in the worker process of the old one, so that both share their loaded ONNX models. Code that ends the process then
    /// also ends the replicas of the other version. Default false: new code has a worker of its own.
    /// </summary>
    public bool? ReuseWorker { get; init; }

    /// <summary>Whether another program sets the numbers of replicas, by <c>serve scale</c> or the REST API. Its numbers survive a redeployment. Excludes autoscaling. Default false.</summary>
    public bool? ExternalScalerEnabled { get; init; }

    /// <summary>A policy of the user that chooses the numbers of replicas of all deployments with <c>autoscaling_config</c>. Default null: each deployment has its own.</summary>
    public AutoscalingPolicySpec? AutoscalingPolicy { get; init; }

    /// <summary>The author's note on this revision, shown by <c>serve history</c>. Not part of the deployed settings: a change of the note alone is no new revision. Default null.</summary>
    [ConfigKey(ConfigFormat.NonEmptyText)]
    public string? Note { get; init; }

    /// <summary>Deploys this configuration as a canary next to the running revision, which keeps the other requests. Default null: it replaces the running revision, and ends its canary.</summary>
    public CanarySpec? Canary { get; init; }

    /// <summary>Deploys this configuration next to the running revision, and sends it copies of requests. Can be combined with <see cref="Canary"/>. Default null: no copies.</summary>
    public ShadowSpec? Shadow { get; init; }

    /// <summary>Settings by deployment name; they override the settings in code, key by key.</summary>
    public IReadOnlyList<DeploymentOptions> Deployments { get; init; } = [];
}

/// <summary>A complete configuration in Ray Serve's schema, as <c>PUT /api/serve/applications/</c> accepts it. Declarative: applications that are not listed are deleted.</summary>
public sealed record ServeConfig
{
    /// <summary>HTTP settings of the gateway; must equal those of the running node. Default null: unchanged.</summary>
    public HttpOptions? HttpOptions { get; init; }

    /// <summary>Percent of the replicas of all deployments that run, 0 to 100; of <c>num_replicas</c>, or of the bounds of autoscaling. At least one of each remains, except at 0. Default null: 100.</summary>
    [ConfigKey(ConfigFormat.Percent)]
    public double? TargetCapacity { get; init; }

    /// <summary>The applications, with unique names and route prefixes.</summary>
    [ConfigKey(Required = "lists the applications to run; [] for none")]
    public required IReadOnlyList<ApplicationConfig> Applications { get; init; }
}
