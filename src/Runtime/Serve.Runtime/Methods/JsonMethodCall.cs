using Serve.Calls;

namespace Serve.Runtime.Methods;

/// <summary>Call on behalf of another process, with its arguments as an unparsed JSON array.</summary>
public sealed class JsonMethodCall<TResult>(string method, ReadOnlyMemory<byte> arguments) : MethodCall<TResult>
{
    public override string Method => method;

    public ReadOnlyMemory<byte> Arguments => arguments;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = default;
        return false;
    }

    public override object?[] GetArguments() => throw new NotSupportedException("The arguments are parsed when the method is known.");
}

/// <summary>Value as UTF-8 JSON: the result type of calls on behalf of another process.</summary>
/// <param name="Utf8">JSON; empty for a method that returns nothing.</param>
public sealed record JsonResultText(ReadOnlyMemory<byte> Utf8)
{
    public static JsonResultText Nothing { get; } = new(default(ReadOnlyMemory<byte>));
}
