using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve.Generators.Tests;

/// <summary>A target in this process: invokes calls on one instance and remembers how they came.</summary>
public sealed class CallRecorder(object instance) : ICallTarget
{
    public List<string> Calls { get; } = [];

    public CancellationToken LastToken { get; private set; }

    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        LastToken = cancellationToken;
        var typed = call.TryInvoke(instance, cancellationToken, out var result);
        Calls.Add($"{(typed ? "typed" : "named")} {call.Method}({string.Join(", ", call.GetArguments().Select(Show))})");
        return typed ? result : ValueTask.FromResult(default(TResult)!);
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in (await InvokeAsync(call, context, cancellationToken) ?? AsyncEnumerable.Empty<TItem>()).WithCancellation(cancellationToken))
            yield return item;
    }

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => text,
        System.Collections.IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Show))}]",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
