using Serve.Calls;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <inheritdoc/>
public sealed class ActorInstanceFactory<TActor> : ActorInstanceFactory
    where TActor : class
{
    private static readonly object NoTarget = new();
    private readonly MethodCall<TActor> _construct;

    public ActorInstanceFactory(MethodCall<TActor> construct)
    {
        _construct = construct;
        if (!construct.HasRefs)
            return;
        var references = new List<ObjectRef>();
        construct.CollectRefs(references);
        Arguments = references;
    }

    public override Type Type => typeof(TActor);

    public override async ValueTask<object> CreateInstanceAsync(TaskContext context, CancellationToken cancellationToken)
    {
        var before = TaskContext.SetOnThread(context);
        ValueTask<TActor> made;
        try
        {
            if (!_construct.TryInvoke(NoTarget, cancellationToken, out made))
                throw new InvalidOperationException($"The constructor of {typeof(TActor).Name} cannot be invoked.");
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }

        return await made;
    }

    public override IActorHandleLink HandleTo(ActorCallQueue calls) => new DriverActorHandle<TActor>(calls);

    public override object?[] GetArguments() => _construct.GetArguments();
}
