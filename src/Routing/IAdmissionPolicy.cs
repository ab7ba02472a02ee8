namespace Serve.Routing;

/// <summary>What an admission queue asks of its owner.</summary>
internal interface IAdmissionPolicy
{
    /// <summary>How many may wait; -1 is no limit.</summary>
    int MaxQueued { get; }

    /// <summary>For people: who is full.</summary>
    string Description { get; }

    /// <summary>Picks by the policy in force.</summary>
    /// <param name="model">The multiplexed model asked for; null for none.</param>
    /// <param name="patient">Whether to rather wait for a replica that has the model than have another load it.</param>
    /// <returns>The policy's word.</returns>
    ReplicaPickResult Pick(string? model, bool patient);

    /// <summary>How long a request is patient.</summary>
    TimeSpan Patience { get; }

    /// <summary>How long until a replica that refused may be tried again; null when only a returned lease or a snapshot can help.</summary>
    /// <returns>The wait.</returns>
    TimeSpan? GetRetryDelay();
}
