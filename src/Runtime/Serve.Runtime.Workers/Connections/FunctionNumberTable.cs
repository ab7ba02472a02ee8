using System.Runtime.CompilerServices;
using Serve.Runtime.Methods;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>The numbers that functions have in one session: each is defined to the other side before it is first used. Written under its lock.</summary>
internal sealed class FunctionNumberTable(OutboundFrameQueue pump)
{
    private readonly Lock _sync = new();
    private readonly ConditionalWeakTable<RemoteFunction, NumberedFunction> _numbers = [];
    private int _last;

    /// <exception cref="BadInputException">It cannot be found by its class and name.</exception>
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
