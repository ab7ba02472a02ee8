namespace Serve.Dashboard.Access;

/// <summary>State of the caller's session, as returned by <c>GET /api/v1/session</c>.</summary>
internal sealed record DashboardSessionState
{
    /// <summary>Whether the caller may read; also true if the node requires no token.</summary>
    public required bool SignedIn { get; init; }

    /// <summary>Whether the node requires a token.</summary>
    public required bool TokenRequired { get; init; }

    /// <summary>Whether the pages may only read.</summary>
    public required bool ReadOnly { get; init; }

    /// <summary>Whether the caller may change something.</summary>
    public required bool CanChange { get; init; }

    /// <summary>The version of the platform.</summary>
    public required string Version { get; init; }

    /// <summary>The node, or the program.</summary>
    public required string NodeId { get; init; }

    /// <summary>Whether this is a node or a program.</summary>
    public required DashboardKind Kind { get; init; }

    /// <summary>Address of a Grafana; null for none.</summary>
    public string? GrafanaUrl { get; init; }
}

/// <summary>Body of <c>POST /api/v1/session</c>: one of both.</summary>
internal sealed record DashboardSignIn
{
    /// <summary>The node's token.</summary>
    public string? Token { get; init; }

    /// <summary>The code of a link.</summary>
    public string? Code { get; init; }
}

/// <summary>A code for a link, as returned by <c>POST /api/v1/session/codes</c>.</summary>
internal sealed record DashboardSignInCode
{
    /// <summary>The code; null if the node requires no token.</summary>
    public string? Code { get; init; }

    /// <summary>How long it is valid.</summary>
    public double ExpiresInS { get; init; }
}
