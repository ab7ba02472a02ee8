using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>An attempt of an actor call, or of a constructor, that is sent to a worker.</summary>
public interface IActorCallAttempt : ITaskAttempt
{
    /// <summary>Concurrency group that overrides the group of the method; null for none.</summary>
    string? ConcurrencyGroup { get; }

    /// <summary>Returns the parameters for a number of arguments.</summary>
    /// <exception cref="BadInputException">No overload has that number of parameters.</exception>
    IReadOnlyList<ParameterInfo> ParametersFor(int count);

    /// <summary>The worker exited before the reply. Called at most once, and then nothing else is.</summary>
    void OnLost(string reason);
}
