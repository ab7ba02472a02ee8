using Serve.Calls;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <inheritdoc/>
internal sealed class ActorConstruct<TActor> : ActorConstruct
    where TActor : class
{
    private static readonly object NoTarget = new();
    private readonly MethodCall<TActor> construct;

    public ActorConstruct(MethodCall<TActor> construct)
    {
        this.construct = construct;
        if (!construct.HasRefs)
            return;
        var references = new List<ObjectRef>();
        construct.CollectRefs(references);
        Arguments = references;
    }

    public override Type Type => typeof(TActor);

    public override async ValueTask<object> MakeAsync(TaskContext context, CancellationToken cancellationToken)
    {
        var before = TaskContext.SetOnThread(context);
        ValueTask<TActor> made;
        try
        {
            if (!construct.TryInvoke(NoTarget, cancellationToken, out made))
                throw new InvalidOperationException($"The constructor of {typeof(TActor).Name} cannot be called.");
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }

        return await made;
    }

    public override IActorLink HandleTo(CoreActor actor) => new CoreActorHandle<TActor>(actor);

    public override object?[] GetArguments() => construct.GetArguments();
}
