namespace Serve.Rl.Spaces;

/// <summary>A set of valid observations or actions.</summary>
public abstract class Space
{
    private Pcg64Random? _random;

    private protected Space()
    {
    }

    /// <summary>Gets the number of values that <see cref="Flatten"/> writes.</summary>
    public abstract int FlatSize { get; }

    /// <summary>Gets the generator of <see cref="Sample"/>; seeded randomly unless <see cref="Seed"/> was called.</summary>
    private protected Pcg64Random Random => _random ??= new Pcg64Random();

    /// <summary>Seeds the samples of this space and of its parts. The same seed yields the same samples as in Gymnasium.</summary>
    public virtual void Seed(ulong seed) => _random = new Pcg64Random(seed);

    /// <summary>Draws a random element.</summary>
    public object Sample() => SampleUntyped();

    /// <summary>Returns whether a value is an element.</summary>
    public abstract bool Contains(object? value);

    /// <summary>Writes an element as numbers: one-hot for discrete parts, values for others, and parts one after another.</summary>
    /// <exception cref="ArgumentException">The value is not an element or the target has another length than <see cref="FlatSize"/>.</exception>
    public abstract void Flatten(object value, Span<float> target);

    private protected abstract object SampleUntyped();

    private protected void RequireTarget(Span<float> target)
    {
        if (target.Length != FlatSize)
            throw new ArgumentException($"Target must have {FlatSize} elements for {this}, but had {target.Length}.", nameof(target));
    }

    private protected ArgumentException NotAnElement(object? value) => new($"Value must be an element of {this}, but was {Describe(value)}.", nameof(value));

    /// <summary>Formats a value for messages.</summary>
    internal static string Describe(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        System.Collections.IDictionary or IReadOnlyDictionary<string, object> => value.GetType().Name,
        System.Collections.IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Take(8).Select(Describe))}] ({items.Cast<object?>().Count()} elements)",
        _ => FormattableString.Invariant($"{value}"),
    };
}

/// <summary>A set of valid observations or actions of one type.</summary>
public abstract class Space<T> : Space
    where T : notnull
{
    /// <inheritdoc cref="Space.Sample" />
    public abstract new T Sample();

    /// <inheritdoc cref="Space.Contains" />
    public abstract bool Contains(T value);

    /// <inheritdoc cref="Space.Flatten" />
    public abstract void Flatten(T value, Span<float> target);

    /// <inheritdoc />
    public sealed override bool Contains(object? value) => value is T typed && Contains(typed);

    /// <inheritdoc />
    public sealed override void Flatten(object value, Span<float> target) => Flatten(value is T typed ? typed : throw NotAnElement(value), target);

    /// <summary>Whether an environment accepts a value as its action; unlike <see cref="Contains(T)"/>, values outside of a box are accepted because environments clip them.</summary>
    internal virtual bool IsUsableAction(T value) => Contains(value);

    private protected sealed override object SampleUntyped() => Sample();
}
