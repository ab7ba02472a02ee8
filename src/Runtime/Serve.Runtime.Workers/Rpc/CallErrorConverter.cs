using Serve.Calls;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>What went wrong with a call, to and from the wire.</summary>
internal static class CallErrorConverter
{
    public static CallError ToWire(Exception thrown) => thrown switch
    {
        CallRefusedException refused => new()
        {
            Kind = refused.Gone ? CallError.Types.Kind.RefusedGone : CallError.Types.Kind.RefusedFull,
            Message = refused.Message,
        },
        BadInputException bad => new() { Kind = CallError.Types.Kind.BadInput, Message = bad.Message },
        ReplicaDiedException died => new() { Kind = CallError.Types.Kind.Died, Message = died.Message },
        OperationCanceledException => new() { Kind = CallError.Types.Kind.Died, Message = "The call was cancelled where it ran." },
        UserCodeException user => User(user),
        _ => User(new UserCodeException(thrown)),
    };

    public static Exception FromWire(CallError error, string actorId) => error.Kind switch
    {
        CallError.Types.Kind.RefusedFull => new CallRefusedException(actorId, gone: false),
        CallError.Types.Kind.RefusedGone => new CallRefusedException(actorId, gone: true),
        CallError.Types.Kind.BadInput => new BadInputException(error.Message),
        CallError.Types.Kind.Died => new ReplicaDiedException(error.Message),
        _ => new UserCodeException(error.Type, error.Message, error.Stack.Length == 0 ? null : error.Stack),
    };

    private static CallError User(UserCodeException user) => new()
    {
        Kind = CallError.Types.Kind.UserCode,
        Type = user.ExceptionType,
        Message = user.Message,
        Stack = user.RemoteStack ?? "",
    };
}
