namespace Serve.Runtime.CoreActors;

/// <summary>Makes actors of Core in the process that asks for them.</summary>
internal sealed class CoreActivator(Cluster cluster) : IActorActivator
{
    public const string CoreKind = "core";

    public string Kind => CoreKind;

    public async ValueTask<ActorInstance> ActivateAsync(ActorContext context, CancellationToken cancellationToken)
    {
        var construct = (ActorConstruct)context.Spec.Local!;
        var made = await construct.MakeAsync(new ConstructorContext(cluster), cancellationToken);
        return new CoreInstance(made, MethodTable.For(construct.Type));
    }
}
