namespace Serve.Routes;

/// <summary>How routers select the replica of a request; derived from a <see cref="Specs.RequestRouterSpec"/>.</summary>
public sealed record RoutingRule
{
    /// <summary>The rule of a deployment without settings.</summary>
    public static RoutingRule Default { get; } = new();

    /// <summary>The built-in policy; also used while <see cref="PickerClass"/> cannot be created.</summary>
    public RoutingPolicy Policy { get; init; }

    /// <summary>Expression for the key of an HTTP request; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>Full name of the application's class that is the policy; null for the built-in one.</summary>
    public string? PickerClass { get; init; }

    /// <summary>Settings of that class, as JSON; null if it has none.</summary>
    public string? Kwargs { get; init; }

    /// <summary>Hash of the package with that class; null without one.</summary>
    public string? PackageHash { get; init; }

    /// <summary>File of the class's assembly within the package; null without one.</summary>
    public string? AssemblyFile { get; init; }
}
