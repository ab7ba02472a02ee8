namespace Serve.Runtime.CoreActors;

/// <summary>A live actor of Core: the user's object, whose own disposal is the actor's.</summary>
internal sealed class CoreActorInstance(object target, ActorMethodTable methods) : ActorInstance
{
    public override object Target => target;

    public override ActorMethodTable Methods => methods;

    public override ValueTask DisposeAsync()
    {
        if (target is IAsyncDisposable async)
            return async.DisposeAsync();
        (target as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
