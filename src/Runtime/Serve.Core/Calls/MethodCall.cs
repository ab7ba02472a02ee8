namespace Serve.Calls;

/// <summary>
/// One call of one method: its name and arguments. In the same process it invokes the method directly, without boxing or
/// reflection, when the caller was compiled against the class; for another process its arguments are written out.
/// </summary>
/// <typeparam name="TResult">What the caller wants back. For a streaming method, <see cref="IAsyncEnumerable{T}"/> of the items.</typeparam>
public abstract class MethodCall<TResult>
{
    /// <summary>The method's name as declared.</summary>
    public abstract string Method { get; }

    /// <summary>Whether refs stand for some of the arguments; they are ready before the call is invoked or its arguments are read.</summary>
    public virtual bool HasRefs => false;

    /// <summary>Invokes the method when <paramref name="target"/> is of the class this call was compiled against; a static one whatever the target is.</summary>
    /// <param name="target">The instance.</param>
    /// <param name="cancellationToken">Handed to the method if it takes one.</param>
    /// <param name="result">The method's result, or its exception.</param>
    /// <returns>False when the target is of another class (the same class loaded twice counts as another); the callee then invokes by name.</returns>
    public abstract bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result);

    /// <summary>The arguments in order, without cancellation tokens. Where a ref stands for a value there is a <see cref="ObjectRefArgument"/>.</summary>
    /// <returns>A new array.</returns>
    public abstract object?[] GetArguments();

    /// <summary>Adds the refs that stand for arguments.</summary>
    /// <param name="references">Where to.</param>
    public virtual void CollectRefs(ICollection<ObjectRef> references)
    {
    }
}
