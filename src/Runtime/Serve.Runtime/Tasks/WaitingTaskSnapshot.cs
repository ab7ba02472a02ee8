namespace Serve.Runtime.Tasks;

/// <summary>Who waits and who holds what, as one look finds it. Written by those who tell of theirs.</summary>
internal sealed class WaitingTaskSnapshot
{
    /// <summary>The objects of tasks and calls whose code waits.</summary>
    public List<ObjectRef> Waiting { get; } = [];

    /// <summary>Those of them that hold something which they do not lend while they wait.</summary>
    public List<WaitingResourceHolder> Holders { get; } = [];
}
