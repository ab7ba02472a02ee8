namespace Serve.Runtime.Methods;

/// <summary>Method with arguments that match its parameters.</summary>
internal readonly record struct BoundMethodCall(ActorMethodInvoker Method, object?[] Arguments);
