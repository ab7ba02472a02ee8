using System.Text.Json;

namespace Serve.Runtime.Methods;

/// <summary>The arguments of one call, before they are fitted to a method's parameters.</summary>
internal interface ICallArguments
{
    int Count { get; }

    /// <summary>One value per parameter, each of the parameter's type. <see cref="Count"/> is within what the method takes.</summary>
    /// <exception cref="BadInputException">A value cannot be converted.</exception>
    object?[] Fit(ActorMethodInvoker method, JsonSerializerOptions json);
}
