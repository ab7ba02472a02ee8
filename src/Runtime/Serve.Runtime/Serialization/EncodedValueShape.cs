namespace Serve.Runtime.Serialization;

/// <summary>What a value's bytes are.</summary>
/// <param name="Format">How they are read.</param>
/// <param name="Declared">The type as which the value was written.</param>
/// <param name="Actual">Its own type, where that decided how it was written; otherwise null.</param>
/// <param name="Lengths">An array's dimensions, where it has more than one.</param>
internal sealed record EncodedValueShape(EncodedValueFormat Format, Type Declared, Type? Actual = null, long[]? Lengths = null)
{
    /// <summary>The type by which the bytes are read.</summary>
    public Type Stored => Actual ?? Declared;

    /// <summary>How many dimensions an array has.</summary>
    public int Rank => Lengths?.Length ?? 1;
}
