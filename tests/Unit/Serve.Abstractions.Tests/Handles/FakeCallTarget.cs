using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve.Abstractions.Tests.Handles;

/// <summary>A call target with prescribed results that records its calls.</summary>
internal sealed class FakeCallTarget(object? instance = null) : ICallTarget
{
    public List<(string Method, object?[] Arguments, CallContext Context, CancellationToken Stop)> Calls { get; } = [];

    /// <summary>Answers calls by name.</summary>
    public Func<string, object?[], CancellationToken, ValueTask<object?>> Answer { get; set; } = (_, _, _) => ValueTask.FromResult<object?>(null);

    public async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        Calls.Add((call.Method, call.GetArguments(), context, cancellationToken));
        if (instance is not null && call.TryInvoke(instance, cancellationToken, out var result))
            return await result;
        return (TResult)(await Answer(call.Method, call.GetArguments(), cancellationToken))!;
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in (await InvokeAsync(call, context, cancellationToken)).WithCancellation(cancellationToken))
            yield return item;
    }
}
