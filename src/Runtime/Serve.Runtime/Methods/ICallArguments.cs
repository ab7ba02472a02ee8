using System.Text.Json;

namespace Serve.Runtime.Methods;

/// <summary>Arguments of one call, before they are converted to a method's parameters.</summary>
internal interface ICallArguments
{
    int Count { get; }

    /// <summary>Converts the arguments to the types of the parameters. <see cref="Count"/> must be in the accepted range.</summary>
    /// <exception cref="BadInputException">An argument cannot be converted.</exception>
    object?[] Fit(ActorMethodInvoker method, JsonSerializerOptions json);
}

/// <summary>Method with arguments that match its parameters.</summary>
internal readonly record struct BoundMethodCall(ActorMethodInvoker Method, object?[] Arguments);
