using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>Sends the tasks that a worker's tasks start. Holds no state but the functions' numbers.</summary>
internal sealed class Submissions(WorkerSession session, FunctionNumbers functions)
{
    /// <exception cref="NotSerializableException">An argument cannot be written.</exception>
    public void Send(ObjectId id, RemoteFunction function, object?[] arguments, TaskOptions? options, bool stream)
    {
        var target = functions.Find(function);
        var submit = new Submit
        {
            Id = id.Number,
            Parent = TaskContext.Current?.TaskId.Number ?? 0,
            Function = target.Number,
            Stream = stream,
            Settings = SettingsWire.ToWire(function, options),
        };
        for (var i = 0; i < arguments.Length; i++)
        {
            var parameter = target.Method.Parameters[i];
            submit.Arguments.Add(session.WriteArgument(arguments[i], parameter.ParameterType, id.Number, $"argument '{parameter.Name}' of {function}"));
        }

        session.Send(new() { Submit = submit });

        // The refs among them must not be given back before the head has seen the frame.
        GC.KeepAlive(arguments);
    }
}
