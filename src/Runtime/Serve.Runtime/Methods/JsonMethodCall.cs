using Serve.Calls;

namespace Serve.Runtime.Methods;

/// <summary>A call on behalf of another process: its arguments are a JSON array that has not been read yet.</summary>
internal sealed class JsonMethodCall<TResult>(string method, ReadOnlyMemory<byte> arguments) : MethodCall<TResult>
{
    public override string Method => method;

    public ReadOnlyMemory<byte> Arguments => arguments;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = default;
        return false;
    }

    public override object?[] GetArguments() => throw new NotSupportedException("The arguments are read when the method is known.");
}
