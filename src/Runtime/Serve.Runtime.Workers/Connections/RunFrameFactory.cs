using Serve.Runtime.Actors;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Creates the frames that send attempts to a worker.</summary>
internal static class RunFrameFactory
{
    /// <exception cref="NotSerializableException">An argument cannot be serialized.</exception>
    public static Run Of(DispatchedTask sent, FunctionNumberTable functions, ConnectionValueCodec values)
    {
        var attempt = sent.Attempt;
        var run = new Run
        {
            Id = attempt.Id.Number,
            Attempt = attempt.Attempt,
            Name = attempt.Name,
            Parent = attempt.Parent?.Number ?? 0,
            Stream = attempt.IsStream,
            Window = attempt.ItemWindow,
        };
        if (attempt.GpuIds.Count > 0)
            run.GpuIds.AddRange(attempt.GpuIds);
        var arguments = attempt.GetArguments();
        if (attempt.Function is { } function)
        {
            var numbered = functions.Find(function);
            run.Function = numbered.Number;
            for (var i = 0; i < arguments.Length; i++)
                run.Arguments.Add(Write(sent, values, arguments[i], numbered.Method.Parameters[i].ParameterType, $"argument '{numbered.Method.Parameters[i].Name}' of {function}"));
        }
        else
        {
            var call = (IActorCallAttempt)attempt;
            run.ActorId = attempt.ActorId;
            run.Method = attempt.Method;
            run.ConcurrencyGroup = call.ConcurrencyGroup ?? "";
            var parameters = call.ParametersFor(arguments.Length);
            for (var i = 0; i < arguments.Length; i++)
                run.Arguments.Add(Write(sent, values, arguments[i], parameters[i].ParameterType, $"argument '{parameters[i].Name}' of {attempt.Name}"));
        }

        return run;
    }

    private static Value Write(DispatchedTask sent, ConnectionValueCodec values, object? argument, Type declared, string subject)
    {
        var encoded = argument as EncodedObject ?? values.Codec.Encode(declared, argument, subject);
        if (encoded.IsShared)
            sent.PinArgument(encoded);
        return values.Write(encoded, declared);
    }
}
