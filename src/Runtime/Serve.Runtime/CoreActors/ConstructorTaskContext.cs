using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>An actor's constructor, to its own code: no task, and no object comes of it.</summary>
internal sealed class ConstructorTaskContext(Cluster cluster) : TaskContext
{
    public override Cluster Cluster => cluster;

    public override ObjectId TaskId => new(0);
}
