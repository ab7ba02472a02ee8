namespace Serve.Calls;

/// <summary>
/// A call of a method: its name and arguments. In the same process it invokes the method directly, without boxing or reflection, if the caller was
/// compiled against the class. For another process its arguments are serialized.
/// </summary>
/// <typeparam name="TResult">The result type. For a streaming method, <see cref="IAsyncEnumerable{T}"/> of the items.</typeparam>
public abstract class MethodCall<TResult>
{
    /// <summary>Gets the method's declared name.</summary>
    public abstract string Method { get; }

    /// <summary>Gets whether references were passed for some of the arguments. They are ready before the call is invoked or its arguments are read.</summary>
    public virtual bool HasRefs => false;

    /// <summary>Invokes the method if <paramref name="target"/> is an instance of the class that the call was compiled against; a static method with any target.</summary>
    /// <param name="target">The instance.</param>
    /// <param name="cancellationToken">Passed to the method if it takes a token.</param>
    /// <param name="result">The method's result or exception.</param>
    /// <returns>False if the target is of another class (or of the same class loaded twice); the callee then invokes the method by name.</returns>
    public abstract bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result);

    /// <summary>Returns the arguments in order, without cancellation tokens. A reference that was passed for a value is an <see cref="ObjectRefArgument"/>.</summary>
    /// <returns>A new array.</returns>
    public abstract object?[] GetArguments();

    /// <summary>Adds the references that were passed for arguments.</summary>
    /// <param name="references">The collection to add to.</param>
    public virtual void CollectRefs(ICollection<ObjectRef> references)
    {
    }
}

/// <summary>A call by name: the callee finds the method and binds the arguments.</summary>
/// <typeparam name="TResult">The result type.</typeparam>
/// <param name="method">The method's declared name.</param>
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

/// <summary>A reference that was passed for its value among the arguments of a call, as opposed to a reference that is itself the value.</summary>
/// <param name="Reference">The reference.</param>
public sealed record ObjectRefArgument(ObjectRef Reference);
