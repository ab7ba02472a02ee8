using Google.Protobuf;
using Serve.Calls;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Converts exceptions to and from frames. Exceptions of the platform keep their type. Exceptions of user code are sent themselves where a codec is given and they can be; all others arrive as <see cref="UserCodeException"/>.
/// </summary>
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

    public static Error ToWire(Exception thrown, ObjectValueCodec? codec = null) => thrown switch
    {
        UserCodeException user => UserCode(user, codec),
        CallRefusedException refused => new() { Kind = nameof(CallRefusedException), Type = refused.ReplicaId, Message = refused.Message, Stack = refused.Gone ? Gone : "" },
        ActorCreationException failed => new() { Kind = nameof(ActorCreationException), Type = failed.Id.Value, Message = failed.Message, Stack = failed.Details ?? "" },
        OverloadedException overloaded => new() { Kind = nameof(OverloadedException), Message = overloaded.Message, RetryAfterSeconds = overloaded.RetryAfter.TotalSeconds },
        OperationCanceledException => new() { Kind = Cancelled, Message = thrown.Message },
        ServeException when thrown.GetType().Assembly == typeof(ServeException).Assembly => new() { Kind = thrown.GetType().Name, Message = thrown.Message, Stack = thrown is InsufficientResourcesException { IsPermanent: true } ? "permanent" : "" },
        ArgumentException or InvalidOperationException or TimeoutException or ObjectDisposedException or NotSupportedException => new() { Kind = thrown.GetType().Name, Message = thrown.Message },
        _ => UserCode(new UserCodeException(thrown), codec),
    };

    public static Exception FromWire(Error error, ObjectValueCodec? codec = null)
    {
        switch (error.Kind)
        {
            case User:
                return UserCode(error, codec);
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
            case nameof(DeadlineUnmeetableException):
                return new DeadlineUnmeetableException(error.Message);
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

    private static Error UserCode(UserCodeException user, ObjectValueCodec? codec)
    {
        var error = new Error { Kind = User, Type = user.ExceptionType, Message = user.Message, Stack = user.RemoteStack ?? "", Original = user.IsOriginalThrown, Obstacle = user.TransferObstacle ?? "" };
        if (user.InnerException is not { } thrown || codec is null)
            return error;
        if (codec.TryEncodeException(thrown, out var obstacle) is { } bytes)
            error.Exception = UnsafeByteOperations.UnsafeWrap(bytes);
        else
            error.Obstacle = obstacle;
        return error;
    }

    private static UserCodeException UserCode(Error error, ObjectValueCodec? codec)
    {
        var obstacle = error.Obstacle.Length == 0 ? null : error.Obstacle;
        var thrown = codec is null || error.Exception.IsEmpty ? null : codec.TryDecodeException(error.Exception.Memory, out obstacle);
        if (thrown is not null && error.Original)
            return new(thrown);
        return new(error.Type, error.Message, error.Stack.Length == 0 ? null : error.Stack, thrown) { TransferObstacle = obstacle };
    }
}
