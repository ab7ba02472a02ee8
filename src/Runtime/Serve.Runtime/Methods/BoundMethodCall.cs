namespace Serve.Runtime.Methods;

/// <summary>A method and arguments that fit it.</summary>
internal readonly record struct BoundMethodCall(ActorMethodInvoker Method, object?[] Arguments);
