using System.Reflection;

namespace Serve.Runtime;

/// <summary>
/// A method whose calls are not run one by one as turns of their actor, but taken by an object of the instance's own, which decides when and in what company user code runs.
/// Its calls hold no turn while they wait. They are given the caller's token as it is; that the actor is being stopped, the taker sees for itself.
/// </summary>
/// <param name="Method">What callers call: its parameters, and its result or stream. Public.</param>
/// <param name="Facade">What <paramref name="Method"/> is called on.</param>
/// <param name="QueueTarget">What compiled callers are handed instead of the actor's object; an <see cref="Serve.Calls.IBatched{TItem, TResult}"/>.</param>
public sealed record QueuedActorMethod(MethodInfo Method, object Facade, object QueueTarget);
