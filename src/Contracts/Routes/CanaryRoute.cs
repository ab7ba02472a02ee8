namespace Serve.Routes;

/// <summary>Route of an application's second revision, and the share of the requests that it receives. Its deployments are those of the application <see cref="Application"/>.</summary>
public sealed record CanaryRoute
{
    /// <summary>Name of the application of the second revision: <see cref="CanaryName.Of"/> the name of the first.</summary>
    public required string Application { get; init; }

    /// <summary>Name of the deployment that answers HTTP.</summary>
    public required string Ingress { get; init; }

    /// <summary>Number of the revision.</summary>
    public required long Revision { get; init; }

    /// <summary>Percent of the requests, 0 to 100.</summary>
    public double Percent { get; init; }

    /// <summary>Name of the header that selects the revision; null for none.</summary>
    public string? HeaderName { get; init; }

    /// <summary>The value of that header.</summary>
    public string? HeaderValue { get; init; }

    /// <summary>Expression for the session of an HTTP request; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>Percent of the requests to the first revision that are copied, 0 to 100.</summary>
    public double ShadowPercent { get; init; }

    /// <summary>Largest body that is copied, in bytes.</summary>
    public int ShadowMaxBodyBytes { get; init; }

    /// <summary>Maximum number of copies that a gateway sends at a time.</summary>
    public int ShadowMaxConcurrentRequests { get; init; }
}

/// <summary>Names of the applications that hold second revisions. Users cannot choose such a name.</summary>
public static class CanaryName
{
    private const string Suffix = "@canary";

    /// <summary>Returns the name for the second revision of an application.</summary>
    /// <param name="application">The application's name.</param>
    public static string Of(string application) => application + Suffix;

    /// <summary>Returns the name of the application whose second revision has a name; null for any other name.</summary>
    /// <param name="name">The name.</param>
    public static string? ApplicationOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : null;
    }
}
