namespace Serve;

/// <summary>An <see cref="Arg{T}"/> among the arguments of a call by name.</summary>
internal interface IArgument
{
    ValueTask<object?> BoxAsync(CancellationToken cancellationToken);
}
