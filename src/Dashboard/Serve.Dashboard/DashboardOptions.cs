using Serve.Http;

namespace Serve.Dashboard;

/// <summary>Settings of a dashboard.</summary>
public sealed record DashboardOptions
{
    /// <summary>Header that requests of the pages carry when they change something. HTML forms cannot send it.</summary>
    public const string ChangeHeader = "Serve-Dashboard";

    /// <summary>Accepted callers, and the token that starts a session; without a token everyone has one.</summary>
    public RequestGuardOptions Guard { get; init; } = new();

    /// <summary>Whether browsers may only read. Callers that present the token itself, as the CLI does, are not restricted.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The node, or the program, that the dashboard shows.</summary>
    public string NodeId { get; init; } = "";

    /// <summary>Whether it shows a node, or the cluster of a program.</summary>
    public DashboardKind Kind { get; init; }

    /// <summary>A code that signs browsers in as often as it is used, for a server whose address is printed with it; null for none.</summary>
    public string? SignInCode { get; init; }

    /// <summary>Address of a Grafana that the pages link to; null for none.</summary>
    public string? GrafanaUrl { get; init; }
}

/// <summary>Subject of a dashboard.</summary>
public enum DashboardKind
{
    /// <summary>A node with its applications.</summary>
    Node,

    /// <summary>The cluster of a program, without applications.</summary>
    Program,
}
