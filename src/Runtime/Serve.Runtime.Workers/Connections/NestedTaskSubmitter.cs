using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Sends the tasks that a worker's tasks start. Holds no state but the functions' numbers.</summary>
internal sealed class NestedTaskSubmitter(DriverConnection session, FunctionNumberTable functions)
{
    /// <summary>Starts a task.</summary>
    /// <param name="id">The result's, or that of the stream's end.</param>
    /// <param name="function">The function.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="options">How it is to run.</param>
    /// <param name="window">How many items of a stream may be on their way; 0 for a single result.</param>
    /// <exception cref="NotSerializableException">An argument cannot be written.</exception>
    public void Send(ObjectId id, RemoteFunction function, object?[] arguments, TaskOptions? options, int window = 0)
    {
        var target = functions.Find(function);
        var submit = new Submit
        {
            Id = id.Number,
            Parent = TaskContext.Current?.TaskId.Number ?? 0,
            Function = target.Number,
            Stream = window > 0,
            Window = window,
            Settings = TaskSettingsConverter.ToWire(function, options, window > 0),
        };
        for (var i = 0; i < arguments.Length; i++)
        {
            var parameter = target.Method.Parameters[i];
            submit.Arguments.Add(session.WriteArgument(arguments[i], parameter.ParameterType, id.Number, $"argument '{parameter.Name}' of {function}"));
        }

        session.SendOrWait(new() { Submit = submit });

        // The refs among them must not be given back before the head has seen the frame.
        GC.KeepAlive(arguments);
    }
}
