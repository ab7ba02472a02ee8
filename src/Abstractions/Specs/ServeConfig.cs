using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>A complete configuration in Ray Serve's schema, as <c>PUT /api/serve/applications/</c> accepts it. Declarative: applications that are not listed are deleted.</summary>
public sealed record ServeConfig
{
    /// <summary>HTTP settings of the gateway; must equal those of the running node. Default null: unchanged.</summary>
    public HttpOptions? HttpOptions { get; init; }

    /// <summary>The applications, with unique names and route prefixes.</summary>
    [ConfigKey(Required = "lists the applications to run; [] for none")]
    public required IReadOnlyList<ApplicationConfig> Applications { get; init; }
}
