using Serve.Runtime.Nodes;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>What runs an actor's calls while it lives: its instance in this process, or the way to its worker. Made anew with every restart.</summary>
/// <param name="Home">The process it lives in.</param>
/// <param name="Local">The instance's, in this process.</param>
/// <param name="Gate">Counts what goes on, in this process.</param>
/// <param name="Executor">The way to its worker.</param>
internal sealed record ActorRunner(IActorHome Home, ActorInvoker? Local, ActorGate? Gate, ITaskExecutor? Executor);
