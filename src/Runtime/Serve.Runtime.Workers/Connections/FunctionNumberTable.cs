using System.Runtime.CompilerServices;
using Serve.Runtime.Methods;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Numbers of functions on one connection: each is defined to the peer before its first use. Written under the lock.</summary>
internal sealed class FunctionNumberTable(OutboundFrameQueue pump)
{
    private readonly Lock _sync = new();
    private readonly ConditionalWeakTable<RemoteFunction, NumberedFunction> _numbers = [];
    private int _last;

    /// <exception cref="BadInputException">No function with this class and name exists.</exception>
    public NumberedFunction Find(RemoteFunction function)
    {
        if (_numbers.TryGetValue(function, out var found))
            return found;
        lock (_sync)
        {
            if (_numbers.TryGetValue(function, out found))
                return found;
            found = new(++_last, RemoteFunctionTable.Resolve(function.Type, function.Method));
            pump.Send(new() { Function = FunctionFrameFactory.Of(function, found.Number) });
            _numbers.Add(function, found);
            return found;
        }
    }

    /// <summary>A function and its number.</summary>
    internal sealed record NumberedFunction(int Number, ActorMethodInvoker Method);
}
