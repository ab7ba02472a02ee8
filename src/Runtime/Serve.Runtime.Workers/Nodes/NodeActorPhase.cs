namespace Serve.Runtime.Workers.Nodes;

/// <summary>Where an actor is in its life, as the node sees it. The moves are in <see cref="NodeActorRegister"/>.</summary>
internal enum NodeActorPhase
{
    /// <summary>Its creator works on it, and undoes what it began when it fails.</summary>
    Creating,

    /// <summary>It takes calls.</summary>
    Live,

    /// <summary>Someone asked it to stop, and frees what it holds.</summary>
    Stopping,

    /// <summary>Nothing of it is left.</summary>
    Gone,
}
