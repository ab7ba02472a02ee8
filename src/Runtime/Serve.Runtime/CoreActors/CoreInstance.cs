namespace Serve.Runtime.CoreActors;

/// <summary>A live actor of Core: the user's object, whose own disposal is the actor's.</summary>
internal sealed class CoreInstance(object target, MethodTable methods) : ActorInstance
{
    public override object Target => target;

    public override MethodTable Methods => methods;

    public override ValueTask DisposeAsync()
    {
        if (target is IAsyncDisposable async)
            return async.DisposeAsync();
        (target as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}
