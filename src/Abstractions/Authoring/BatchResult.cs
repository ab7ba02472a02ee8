namespace Serve;

/// <summary>
/// What a method with <see cref="BatchAttribute"/> has for one of its callers when that is no value: it converts to <see cref="BatchResult{T}"/> of any type, so that
/// <c>results[i] = BatchResult.End</c> reads as it is meant.
/// </summary>
public readonly record struct BatchResult
{
    private BatchResult(BatchResultKind kind, Exception? error) => (Kind, Error) = (kind, error);

    /// <summary>Nothing for this caller in this step of a stream; the default. Without streaming it is an error, since every caller waits for a result.</summary>
    public static BatchResult None => default;

    /// <summary>The caller's stream ends here.</summary>
    public static BatchResult End => new(BatchResultKind.End, null);

    /// <summary>Which of them it is.</summary>
    public BatchResultKind Kind { get; }

    /// <summary>The exception; null when it is not one.</summary>
    public Exception? Error { get; }

    /// <summary>An exception for this caller alone, whose stream ends with it. A <see cref="BadInputException"/> says that the item was wrong.</summary>
    /// <param name="error">What the caller is told.</param>
    /// <returns>The result.</returns>
    public static BatchResult Fail(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(BatchResultKind.Error, error);
    }

    /// <summary>A value, for types that do not convert by themselves, such as interfaces.</summary>
    /// <typeparam name="T">What the caller gets.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The result.</returns>
    public static BatchResult<T> Of<T>(T value) => new(value);
}
