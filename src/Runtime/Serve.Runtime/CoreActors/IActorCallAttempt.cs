using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>An attempt of an actor's call, or of its constructor, as it is sent to a worker.</summary>
internal interface IActorCallAttempt : ITaskAttempt
{
    /// <summary>Another group than the method's own; null for that.</summary>
    string? ConcurrencyGroup { get; }

    /// <summary>The parameters that so many arguments are for.</summary>
    /// <exception cref="BadInputException">None take so many.</exception>
    IReadOnlyList<ParameterInfo> ParametersFor(int count);

    /// <summary>The worker exited before the reply. Called at most once, and then nothing else is.</summary>
    void OnLost(string reason);
}
