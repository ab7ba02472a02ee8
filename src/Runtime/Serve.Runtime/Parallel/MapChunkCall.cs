using Serve.Calls;

namespace Serve.Runtime.Parallel;

/// <summary>One chunk as a call: invoked in place, or sent with its items.</summary>
internal sealed class MapChunkCall<TFunction, T, TResult>(T[] items, long offset) : MethodCall<(TResult[] Results, long Ticks)>
    where TFunction : IRemoteFunction<T, TResult>, new()
{
    public override string Method => nameof(MapChunkRunner<,,>.Run);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<(TResult[] Results, long Ticks)> result)
    {
        result = MapChunkRunner<TFunction, T, TResult>.Run(items, offset, cancellationToken);
        return true;
    }

    public override object?[] GetArguments() => [items, offset];
}
