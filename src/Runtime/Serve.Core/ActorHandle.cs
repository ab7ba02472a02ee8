using System.ComponentModel;
using Serve.Calls;

namespace Serve;

/// <summary>
/// A reference to an actor. The source generator adds a member for each public method: <c>counter.Increment.Remote(1)</c>. Calls of one caller run
/// in submission order. An actor that is not detached terminates when its last handle is collected.
/// </summary>
/// <typeparam name="TActor">The actor's class.</typeparam>
public abstract class ActorHandle<TActor>
    where TActor : class
{
    /// <summary>Gets the actor's id, which does not change when the actor is restarted.</summary>
    public abstract string Id { get; }

    /// <summary>Gets the actor's name; null if it has none.</summary>
    public abstract string? Name { get; }

    /// <summary>Gets the cluster that runs the actor.</summary>
    public abstract Cluster Cluster { get; }

    /// <summary>Gets a reference that is ready when the actor's constructor has completed, and fails with the constructor's exception.</summary>
    public abstract ObjectRef Created { get; }

    /// <summary>Kills the actor immediately. Running and later calls fail with <see cref="ActorDiedException"/>.</summary>
    /// <param name="noRestart">False allows a restart within <see cref="ActorOptions.MaxRestarts"/>. Default true.</param>
    public abstract void Kill(bool noRestart = true);

    /// <summary>Terminates the actor after the calls submitted so far have completed, and disposes it.</summary>
    /// <returns>A task that completes when the actor has terminated.</returns>
    public abstract Task Terminate();

    /// <summary>Calls a method. For generated code.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="call">The call with its arguments.</param>
    /// <param name="options">Call options.</param>
    /// <returns>A reference to the result.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options = null);

    /// <summary>Calls a streaming method. For generated code.</summary>
    /// <typeparam name="TItem">The item type.</typeparam>
    /// <param name="call">The call with its arguments.</param>
    /// <param name="options">Call options.</param>
    /// <returns>References to the items as they are produced.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null);
}
