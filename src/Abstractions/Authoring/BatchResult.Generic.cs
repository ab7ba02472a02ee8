namespace Serve;

/// <summary>
/// The result of a method with <see cref="BatchAttribute"/> for one of its callers: a value, or an exception for this caller only. A streaming method returns one result per caller
/// in each step: <see cref="BatchResult.End"/> ends a caller's stream, and <see cref="BatchResult.None"/> yields nothing in this step. Results for a caller whose stream
/// has ended, or who has disconnected, are ignored.
/// </summary>
/// <typeparam name="T">The result type of one caller.</typeparam>
public readonly struct BatchResult<T>
{
    private readonly T? _value;

    /// <summary>Creates a result with a value.</summary>
    /// <param name="value">The value.</param>
    public BatchResult(T value) => (Kind, _value) = (BatchResultKind.Value, value);

    private BatchResult(BatchResult other) => (Kind, Error) = (other.Kind, other.Error);

    /// <summary>Gets the kind of the result.</summary>
    public BatchResultKind Kind { get; }

    /// <summary>Gets the exception; null for other kinds.</summary>
    public Exception? Error { get; }

    /// <summary>Gets the value.</summary>
    /// <exception cref="InvalidOperationException">The result is not a value.</exception>
    public T Value => Kind == BatchResultKind.Value ? _value! : throw new InvalidOperationException($"The result is not a value, but {Kind}.");

    /// <summary>Returns a result with a converted value; other kinds are unchanged.</summary>
    /// <typeparam name="TOther">The type of the converted value.</typeparam>
    /// <param name="selector">Converts the value.</param>
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

#pragma warning disable CA2225 // The named alternatives are BatchResult.Of, End, None and Fail.
    /// <summary>Creates a result with a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator BatchResult<T>(T value) => new(value);

    /// <summary>Creates a result without a value.</summary>
    /// <param name="other">The result without a value.</param>
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
