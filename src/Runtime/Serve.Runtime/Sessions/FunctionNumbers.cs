using System.Runtime.CompilerServices;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Sessions;

/// <summary>The numbers that functions have in one session: each is defined to the other side before it is first used. Written under its lock.</summary>
internal sealed class FunctionNumbers(FramePump pump)
{
    private readonly Lock sync = new();
    private readonly ConditionalWeakTable<RemoteFunction, Numbered> numbers = [];
    private int last;

    /// <exception cref="BadInputException">It cannot be found by its class and name.</exception>
    public Numbered Find(RemoteFunction function)
    {
        if (numbers.TryGetValue(function, out var found))
            return found;
        lock (sync)
        {
            if (numbers.TryGetValue(function, out found))
                return found;
            found = new(++last, FunctionTable.Resolve(function.Type, function.Method));
            pump.Send(new() { Function = FunctionNames.Of(function, found.Number) });
            numbers.Add(function, found);
            return found;
        }
    }

    /// <summary>A function and its number.</summary>
    internal sealed record Numbered(int Number, ActorMethod Method);
}
