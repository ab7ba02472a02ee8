namespace Serve;

/// <summary>
/// The result of a method with <see cref="BatchAttribute"/> for one of its callers, without a value. Converts to <see cref="BatchResult{T}"/> of any type:
/// <c>results[i] = BatchResult.End</c>.
/// </summary>
public readonly record struct BatchResult
{
    private BatchResult(BatchResultKind kind, Exception? error) => (Kind, Error) = (kind, error);

    /// <summary>Gets the result that yields nothing for this caller in this step of a stream; the default. Without streaming it is an error, because each caller waits for a result.</summary>
    public static BatchResult None => default;

    /// <summary>Gets the result that ends the caller's stream.</summary>
    public static BatchResult End => new(BatchResultKind.End, null);

    /// <summary>Gets the kind of the result.</summary>
    public BatchResultKind Kind { get; }

    /// <summary>Gets the exception; null for other kinds.</summary>
    public Exception? Error { get; }

    /// <summary>Creates a result with an exception for this caller only, which also ends its stream. Use <see cref="BadInputException"/> for an invalid item.</summary>
    /// <param name="error">The exception.</param>
    /// <returns>The result.</returns>
    public static BatchResult Fail(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(BatchResultKind.Error, error);
    }

    /// <summary>Creates a result with a value, for types without implicit conversion, such as interfaces.</summary>
    /// <typeparam name="T">The result type of one caller.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The result.</returns>
    public static BatchResult<T> Of<T>(T value) => new(value);
}

/// <summary>The kind of a <see cref="BatchResult{T}"/>.</summary>
public enum BatchResultKind
{
    /// <summary>Nothing in this step of a stream.</summary>
    None,

    /// <summary>A value.</summary>
    Value,

    /// <summary>An exception.</summary>
    Error,

    /// <summary>The end of a caller's stream.</summary>
    End,
}
