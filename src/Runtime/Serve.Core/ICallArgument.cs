namespace Serve;

/// <summary>An <see cref="Arg{T}"/> among the arguments of a call by name.</summary>
internal interface ICallArgument
{
    ValueTask<object?> ResolveBoxedAsync(CancellationToken cancellationToken);
}

/// <summary>The result of a running call that is no object of a cluster: the response of a deployment.</summary>
internal interface IPendingCallResult : ICallArgument;

/// <inheritdoc/>
/// <typeparam name="T">The result's type.</typeparam>
internal interface IPendingCallResult<T> : IPendingCallResult
{
    Task<T> AsTask();
}
