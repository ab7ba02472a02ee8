using Serve.Runtime.Methods;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Function of a connection, resolved in this worker. Immutable.</summary>
internal sealed class BoundRemoteFunction(ActorMethodInvoker method, bool isAsync)
{
    public ActorMethodInvoker Method => method;

    /// <summary>Whether it returns a task or a stream.</summary>
    public bool IsAsync => isAsync;

    public bool TakesToken => (method.Traits & ActorMethodTraits.TakesToken) != 0;

    /// <summary>Type of its result, or of the items of its stream.</summary>
    public Type ResultType { get; } = method.ReturnsNothing ? typeof(object) : method.Items is null ? method.ResultType : ItemOf(method.ResultType);

    /// <summary>Deserializes the arguments of a call.</summary>
    public object?[] Read(Run message, ConnectionValueCodec values)
    {
        var arguments = message.Arguments;
        var parameters = method.Parameters;
        if (arguments.Count > parameters.Length)
            throw new BadInputException($"{method.FullName} takes {parameters.Length} arguments in this worker, but {arguments.Count} were sent. The driver and this worker run different builds of it.");
        var read = new object?[parameters.Length];
        for (var i = 0; i < read.Length; i++)
            read[i] = i < arguments.Count ? values.Read(arguments[i], parameters[i].ParameterType) : ParameterDefaultValue.GetValue(parameters[i]);
        return read;
    }

    /// <summary>Returns the item type of a stream type.</summary>
    public static Type ItemOf(Type stream) => stream.GetInterfaces().Prepend(stream)
        .First(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)).GetGenericArguments()[0];
}
