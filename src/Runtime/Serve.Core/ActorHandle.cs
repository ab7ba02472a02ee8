namespace Serve;

/// <summary>
/// A reference to an actor of Core: the source generator gives it a member for each public method, <c>counter.Increment.Remote(1)</c>.
/// Calls of one caller run in the order in which they were made. Unless the actor is detached it ends when its last handle is collected.
/// </summary>
/// <typeparam name="TActor">The actor's class.</typeparam>
public abstract class ActorHandle<TActor>
    where TActor : class
{
    private protected ActorHandle()
    {
    }

    /// <summary>The actor's id; stays the same when it is restarted.</summary>
    public abstract string Id { get; }

    /// <summary>Its name; null when it has none.</summary>
    public abstract string? Name { get; }

    /// <summary>The cluster it lives in.</summary>
    public abstract Cluster Cluster { get; }

    /// <summary>Ready when the actor's constructor has run; fails as it did.</summary>
    public abstract ObjectRef Created { get; }

    /// <summary>Ends the actor now. What runs on it fails with <see cref="ActorDiedException"/>; so do later calls.</summary>
    /// <param name="noRestart">False lets <see cref="ActorOptions.MaxRestarts"/> bring it back. Default true.</param>
    public abstract void Kill(bool noRestart = true);

    /// <summary>Ends the actor when the calls made so far have ended; the way to let it dispose itself.</summary>
    /// <returns>Completes when it is gone.</returns>
    public abstract Task Terminate();

    /// <summary>Calls a method. For generated code.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="options">How the call is to run.</param>
    /// <returns>A ref to its result.</returns>
    [System.ComponentModel.EditorBrowsable(System.ComponentModel.EditorBrowsableState.Never)]
    public abstract ObjectRef<TResult> Submit<TResult>(Calls.MethodCall<TResult> call, ActorCallOptions? options = null);

    /// <summary>Calls a method that streams. For generated code.</summary>
    /// <typeparam name="TItem">The items' type.</typeparam>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="options">How the call is to run.</param>
    /// <returns>Refs to its items as they come.</returns>
    [System.ComponentModel.EditorBrowsable(System.ComponentModel.EditorBrowsableState.Never)]
    public abstract ObjectRefStream<TItem> SubmitStream<TItem>(Calls.MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options = null);
}
