using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>A call has to have its turn, which the code of another one keeps while it blocks its thread.</summary>
/// <param name="wait">What that code waits for.</param>
/// <param name="holder">The other call, for people.</param>
internal sealed class ActorTurnDependency(ObjectRefWait wait, string holder) : ObjectRefDependency(wait, wait.References, wait.Count)
{
    public override string Describe(string next, Func<ObjectRef, bool> comes) => $"waits for {holder}, which blocks its actor until {next} is there";
}
