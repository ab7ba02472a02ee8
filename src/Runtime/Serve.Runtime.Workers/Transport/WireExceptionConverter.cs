using System.Reflection;
using Serve.Calls;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Converts exceptions to and from frames: exceptions of the platform keep their type, all others arrive as <see cref="UserCodeException"/>.</summary>
internal static class WireExceptionConverter
{
    private const string User = "user";
    private const string Cancelled = "cancelled";
    private const string Gone = "gone";

    // Types with a constructor (message, inner).
    private static readonly Type[] Known =
    [
        typeof(ActorDiedException), typeof(ActorNotFoundException), typeof(BadInputException), typeof(DeadlockException), typeof(NotSerializableException),
        typeof(ObjectLostException), typeof(PendingCallsLimitException), typeof(TaskOutOfMemoryException), typeof(WorkerDiedException), typeof(ReplicaDiedException),
    ];

    public static Error ToWire(Exception thrown) => thrown switch
    {
        UserCodeException user => UserCode(user),
        CallRefusedException refused => new() { Kind = nameof(CallRefusedException), Type = refused.ReplicaId, Message = refused.Message, Stack = refused.Gone ? Gone : "" },
        ActorCreationException failed => new() { Kind = nameof(ActorCreationException), Type = failed.Id.Value, Message = failed.Message, Stack = failed.Details ?? "" },
        OverloadedException overloaded => new() { Kind = nameof(OverloadedException), Message = overloaded.Message, RetryAfterSeconds = overloaded.RetryAfter.TotalSeconds },
        OperationCanceledException => new() { Kind = Cancelled, Message = thrown.Message },
        ServeException => new() { Kind = thrown.GetType().Name, Message = thrown.Message, Stack = thrown is InsufficientResourcesException { IsPermanent: true } ? "permanent" : "" },
        ArgumentException or InvalidOperationException or TimeoutException or ObjectDisposedException or NotSupportedException => new() { Kind = thrown.GetType().Name, Message = thrown.Message },
        _ => UserCode(new(thrown)),
    };

    public static Exception FromWire(Error error)
    {
        switch (error.Kind)
        {
            case User:
                return new UserCodeException(error.Type, error.Message, error.Stack.Length == 0 ? null : error.Stack, Rebuild(error));
            case Cancelled:
                return new OperationCanceledException(error.Message);
            case nameof(CallRefusedException):
                return new CallRefusedException(error.Type, gone: error.Stack == Gone);
            case nameof(ActorCreationException):
                return new ActorCreationException(new(error.Type), error.Message, error.Stack.Length == 0 ? null : error.Stack);
            case nameof(OverloadedException):
                return new OverloadedException(error.Message, TimeSpan.FromSeconds(error.RetryAfterSeconds));
            case nameof(RequestTimeoutException):
                return new RequestTimeoutException(error.Message);
            case nameof(InsufficientResourcesException):
                return new InsufficientResourcesException(error.Message, error.Stack.Length > 0);
            case nameof(ArgumentException):
                return new ArgumentException(error.Message);
            case nameof(TimeoutException):
                return new TimeoutException(error.Message);
            case nameof(NotSupportedException):
                return new NotSupportedException(error.Message);
            case nameof(ObjectDisposedException):
                return new ObjectDisposedException(null, error.Message);
            default:
                return Array.Find(Known, type => type.Name == error.Kind) is { } known
                    ? (Exception)Activator.CreateInstance(known, error.Message, null)!
                    : new InvalidOperationException(error.Message);
        }
    }

    private static Error UserCode(UserCodeException user) => new()
    {
        Kind = User,
        Type = user.ExceptionType,
        QualifiedType = user.InnerException?.GetType().AssemblyQualifiedName ?? "",
        Message = user.Message,
        Stack = user.RemoteStack ?? "",
    };

    /// <summary>Recreates an exception of the type that was thrown, so that handlers for that type match; null if this process cannot create one.</summary>
    private static Exception? Rebuild(Error error)
    {
        try
        {
            if (error.QualifiedType.Length == 0 || Type.GetType(error.QualifiedType, throwOnError: false) is not { } type || !type.IsAssignableTo(typeof(Exception)))
                return null;
            if (type.GetConstructor([typeof(string)]) is { } told)
                return (Exception)told.Invoke([error.Message]);
            return type.GetConstructor(Type.EmptyTypes) is { } plain ? (Exception)plain.Invoke(null) : null;
        }
        catch (Exception thrown) when (thrown is TargetInvocationException or MemberAccessException or IOException or BadImageFormatException)
        {
            return null;
        }
    }
}
