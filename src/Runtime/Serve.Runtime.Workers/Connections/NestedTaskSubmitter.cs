using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Submits the tasks that code in a worker starts. Its state is the numbers of the functions.</summary>
internal sealed class NestedTaskSubmitter(DriverConnection session, FunctionNumberTable functions)
{
    /// <summary>Submits a task.</summary>
    /// <param name="id">Id of the result, or of the end of the stream.</param>
    /// <param name="function">The function.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="options">Task options.</param>
    /// <param name="window">Number of stream items that may be under way; 0 for a single result.</param>
    /// <exception cref="NotSerializableException">An argument cannot be serialized.</exception>
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

        // References among the arguments must not be released before the driver has received the frame.
        GC.KeepAlive(arguments);
    }
}
