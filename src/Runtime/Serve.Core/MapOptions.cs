namespace Serve;

/// <summary>How a map over many items is to run. Every value has a default that suits most maps.</summary>
public sealed record MapOptions
{
    /// <summary>Items that go to a thread or a worker at once. Default: chosen by how long they take, so that a chunk takes some milliseconds.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>How many items are worked on at once. Default: the cluster's CPUs; 64 for functions that return a task, since they wait rather than work.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Shows a progress bar on the terminal. Nothing is shown where standard error is not one. Default false.</summary>
    public bool Progress { get; init; }

    /// <summary>What the progress bar and lists of tasks call it. Default <c>Map</c>.</summary>
    public string Name { get; init; } = "Map";
}
