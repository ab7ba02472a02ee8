namespace Serve;

/// <summary>
/// What a method with <see cref="BatchAttribute"/> has for one of its callers: a value, or an exception that only this caller gets. A streaming one gives each of its callers one of these
/// in every step, <see cref="BatchResult.End"/> when it has no more for it, and <see cref="BatchResult.None"/> when it has nothing this time. What comes for a caller whose stream
/// has ended, or who has gone, is ignored.
/// </summary>
/// <typeparam name="T">What one caller gets.</typeparam>
public readonly struct BatchResult<T>
{
    private readonly T? _value;

    /// <summary>A value.</summary>
    /// <param name="value">What the caller gets.</param>
    public BatchResult(T value) => (Kind, _value) = (BatchResultKind.Value, value);

    private BatchResult(BatchResult other) => (Kind, Error) = (other.Kind, other.Error);

    /// <summary>Which of them it is.</summary>
    public BatchResultKind Kind { get; }

    /// <summary>The exception; null when it is not one.</summary>
    public Exception? Error { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">It is not a value.</exception>
    public T Value => Kind == BatchResultKind.Value ? _value! : throw new InvalidOperationException($"This is no value but {Kind}.");

    /// <summary>The same with another value; what is no value stays what it is.</summary>
    /// <typeparam name="TOther">What the caller gets.</typeparam>
    /// <param name="selector">Makes it of the value.</param>
    /// <returns>The result.</returns>
    public BatchResult<TOther> Select<TOther>(Func<T, TOther> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return Kind switch
        {
            BatchResultKind.Value => selector(_value!),
            BatchResultKind.Error => BatchResult.Fail(Error!),
            BatchResultKind.End => BatchResult.End,
            _ => BatchResult.None,
        };
    }

#pragma warning disable CA2225 // The named ways are BatchResult.Of, End, None and Fail.
    /// <summary>A value.</summary>
    /// <param name="value">What the caller gets.</param>
    public static implicit operator BatchResult<T>(T value) => new(value);

    /// <summary>No value.</summary>
    /// <param name="other">What it is instead.</param>
    public static implicit operator BatchResult<T>(BatchResult other) => new(other);
#pragma warning restore CA2225

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        BatchResultKind.Value => _value?.ToString() ?? "null",
        BatchResultKind.Error => Error!.Message,
        _ => Kind.ToString(),
    };
}
