using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>An actor's call, to the code that runs for it. What an actor submits is of one caller, whichever of its calls does it.</summary>
internal sealed class CallTaskContext(CoreActor actor, ObjectId id) : TaskContext(actor.Cluster, id)
{
    public CoreActor Actor => actor;

    public override SchedulingStrategy? InheritedScheduling =>
        actor.Settings.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } group ? group : null;
}
