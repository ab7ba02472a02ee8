namespace Serve.Calls;

/// <summary>A call by name: the callee finds the method and fits the arguments.</summary>
/// <typeparam name="TResult">What the caller wants back.</typeparam>
/// <param name="method">The method's name as declared.</param>
/// <param name="arguments">The arguments in order, without cancellation tokens.</param>
public sealed class NamedMethodCall<TResult>(string method, params object?[] arguments) : MethodCall<TResult>
{
    /// <inheritdoc/>
    public override string Method => method;

    /// <inheritdoc/>
    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        result = default;
        return false;
    }

    /// <inheritdoc/>
    public override object?[] GetArguments() => arguments;
}
