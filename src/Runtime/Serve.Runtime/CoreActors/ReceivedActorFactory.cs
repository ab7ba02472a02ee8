using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>How a worker makes an actor whose arguments have come.</summary>
internal sealed class ReceivedActorFactory(ConstructorInfo constructor, object?[] arguments) : ActorInstanceFactory
{
    public override Type Type => constructor.DeclaringType!;

    public override ValueTask<object> CreateInstanceAsync(TaskContext context, CancellationToken cancellationToken)
    {
        var before = TaskContext.SetOnThread(context);
        try
        {
            return new(constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null));
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }
    }

    public override IActorHandleLink HandleTo(ActorRecord actor) => throw new InvalidOperationException("Handles to an actor are made in the head.");

    public override object?[] GetArguments() => arguments;
}
