namespace Serve.Specs;

/// <summary>A whole config file, Ray Serve's schema: what <c>PUT /api/serve/applications/</c> takes. Declarative: an application not listed goes.</summary>
public sealed record ServeConfig
{
    /// <summary>How the gateway listens; must agree with the running node. Default null: leave it.</summary>
    public HttpOptions? HttpOptions { get; init; }

    /// <summary>The applications that are to run, names and route prefixes unique.</summary>
    public required IReadOnlyList<ApplicationConfig> Applications { get; init; }
}
