using Microsoft.Extensions.Logging;
using Serve.Workflows.Storage;

namespace Serve.Workflows;

/// <summary>Options of a workflow host.</summary>
public sealed record WorkflowOptions
{
    /// <summary>The SQLite file; created if it does not exist. Default <c>workflows.db</c> in the current folder.</summary>
    public string Storage { get; init; } = "workflows.db";

    /// <summary>The store; takes precedence over <see cref="Storage"/>. Default: the SQLite file.</summary>
    public WorkflowStore? Store { get; init; }

    /// <summary>
    /// How long the start of the host waits while another host uses the SQLite file, for example the replica that this one replaces. Default zero: it fails at once.
    /// <see cref="Timeout.InfiniteTimeSpan"/> waits indefinitely.
    /// </summary>
    public TimeSpan StorageWait { get; init; }

    /// <summary>How long ended workflows are kept. Default 7 days; <see cref="Timeout.InfiniteTimeSpan"/> keeps them.</summary>
    public TimeSpan KeepFinishedFor { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long a canceled workflow may run compensating steps before it is ended. Default 5 minutes.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Maximum bytes of an input, event or result as JSON. Default 64 MB.</summary>
    public long MaxPayloadBytes { get; init; } = 64L << 20;

    /// <summary>Length above which values are stored in files by content instead of in the database. Default 64 K characters.</summary>
    public int MaxInlinePayload { get; init; } = 64 << 10;

    /// <summary>Maximum entries in the history of a run; a longer workflow must continue as new. Warned at a fifth of it. Default 50,000.</summary>
    public int MaxHistory { get; init; } = 50_000;

    /// <summary>Maximum nesting of child workflows and continuations. Default 10,000.</summary>
    public int MaxDepth { get; init; } = 10_000;

    /// <summary>Number of waiting workflows that stay in memory; others are loaded when an event or timer arrives. Default 1,000.</summary>
    public int MaxIdleInMemory { get; init; } = 1_000;

    /// <summary>Whether other processes of this user can list and manage the workflows, for instance <c>serve workflow list</c>. Default true.</summary>
    public bool Observable { get; init; } = true;

    /// <summary>Receives log messages. Default: none.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>Options of the start of a workflow.</summary>
public sealed record WorkflowStartOptions
{
    /// <summary>The workflow's id: 1 to 200 letters, digits and <c>. _ : -</c>. Starting the same workflow with the same id again attaches to it. Default: a new unique id.</summary>
    public string? Id { get; init; }

    /// <summary>Metadata for lists. Default: none.</summary>
    public Dictionary<string, string> Metadata { get; init; } = [];
}

/// <summary>Status of a workflow. The numbers are stored.</summary>
public enum WorkflowStatus
{
    /// <summary>It runs or waits. After a restart of the host it continues by itself.</summary>
    Running = 0,

    /// <summary>It returned a result.</summary>
    Successful = 1,

    /// <summary>It threw an exception.</summary>
    Failed = 2,

    /// <summary>It was canceled.</summary>
    Canceled = 3,

    /// <summary>It cannot continue until its code has been fixed.</summary>
    Blocked = 4,
}

/// <summary>A workflow in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">The name of its definition.</param>
/// <param name="Version">The version of its definition.</param>
/// <param name="Status">Its status.</param>
/// <param name="Created">The time of its start.</param>
/// <param name="Ended">The time of its end; null while it is open.</param>
/// <param name="Run">Its run: 1, and one more after each continue-as-new.</param>
/// <param name="Parent">The id of the workflow that started it; null for none.</param>
/// <param name="Metadata">The metadata of its start.</param>
/// <param name="Error">Why it failed, was canceled or is blocked; null otherwise.</param>
public sealed record WorkflowInfo(
    string Id, string Name, int Version, WorkflowStatus Status, DateTimeOffset Created, DateTimeOffset? Ended, int Run, string? Parent, IReadOnlyDictionary<string, string> Metadata, WorkflowError? Error);

/// <summary>An entry of a workflow's history.</summary>
/// <param name="Position">Its position.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">The name of the step, event or signal.</param>
/// <param name="Started">The time at which the step started.</param>
/// <param name="Ended">The time of the entry.</param>
/// <param name="Attempts">The attempts of the step.</param>
/// <param name="Metadata">The metadata of the step.</param>
/// <param name="Error">The error of a failed step; null otherwise.</param>
public sealed record WorkflowHistoryEntry(
    long Position, HistoryKind Kind, string Name, DateTimeOffset Started, DateTimeOffset Ended, int Attempts, IReadOnlyDictionary<string, string> Metadata, WorkflowError? Error);
