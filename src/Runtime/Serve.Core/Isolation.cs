namespace Serve;

/// <summary>Where a task or an actor of Core runs. The same code gives the same results in both.</summary>
public enum Isolation
{
    /// <summary>As the next wider setting says: call, attribute, cluster. A cluster's own default is <see cref="None"/>.</summary>
    Default,

    /// <summary>A thread of this process: arguments and results pass by reference and are to be treated as immutable.</summary>
    None,

    /// <summary>A worker process: a crash or a runaway allocation stays there.</summary>
    Process,
}
