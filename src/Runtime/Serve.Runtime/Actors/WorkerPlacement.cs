namespace Serve.Runtime;

/// <summary>Which process an actor lives in.</summary>
public abstract record WorkerPlacement
{
    private WorkerPlacement()
    {
    }

    /// <summary>The process of the runtime itself.</summary>
    public static WorkerPlacement InProcess { get; } = new InProcessPlacement();

    /// <summary>A worker shared by all actors with the same key; started with the first, ended after the last.</summary>
    /// <param name="Key">What they share, for instance an application's name.</param>
    public sealed record Shared(string Key) : WorkerPlacement;

    /// <summary>A worker for this actor alone.</summary>
    /// <param name="Label">Shown in process lists and logs.</param>
    public sealed record Own(string Label) : WorkerPlacement;

    private sealed record InProcessPlacement : WorkerPlacement;
}
