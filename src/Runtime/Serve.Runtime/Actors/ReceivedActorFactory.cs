using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Creates an actor in a worker from received constructor arguments.</summary>
public sealed class ReceivedActorFactory(ConstructorInfo constructor, object?[] arguments) : ActorInstanceFactory
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

    public override IActorHandleLink HandleTo(ActorCallQueue calls) => throw new InvalidOperationException("Handles to an actor are created by the driver.");

    public override object?[] GetArguments() => arguments;
}
