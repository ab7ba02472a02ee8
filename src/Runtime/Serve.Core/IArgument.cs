namespace Serve;

/// <summary>An <see cref="Arg{T}"/> among the arguments of a call by name.</summary>
internal interface IArgument
{
    ValueTask<object?> BoxAsync(CancellationToken cancellationToken);
}

/// <summary>The result of a running call that is no object of a cluster: the response of a deployment.</summary>
internal interface IPendingResult : IArgument;

/// <inheritdoc/>
/// <typeparam name="T">The result's type.</typeparam>
internal interface IPendingResult<T> : IPendingResult
{
    Task<T> AsTask();
}
