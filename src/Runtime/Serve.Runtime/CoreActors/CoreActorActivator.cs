namespace Serve.Runtime.CoreActors;

/// <summary>Makes actors of Core in the process that asks for them.</summary>
internal sealed class CoreActorActivator(Cluster cluster) : IActorActivator
{
    public const string CoreKind = "core";

    public string Kind => CoreKind;

    public async ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken)
    {
        var construct = (ActorInstanceFactory)context.Factory!;
        var made = await construct.CreateInstanceAsync(new ConstructorTaskContext(cluster), cancellationToken);
        return new CoreActorInstance(made, ActorMethodTable.For(construct.Type));
    }
}
