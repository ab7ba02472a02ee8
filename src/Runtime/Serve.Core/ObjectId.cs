namespace Serve;

/// <summary>The id of an object, and of the task whose result it is: unique in its cluster.</summary>
/// <param name="Number">Counts up from 1.</param>
public readonly record struct ObjectId(long Number)
{
    /// <inheritdoc/>
    public override string ToString() => Number.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
