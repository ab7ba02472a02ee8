namespace Serve.Runtime.Serialization;

/// <summary>Shape of an encoded value.</summary>
/// <param name="Format">Format of the bytes.</param>
/// <param name="Declared">Declared type with which the value was encoded.</param>
/// <param name="Actual">Runtime type if it determined the encoding; otherwise null.</param>
/// <param name="Lengths">Dimensions of a multi-dimensional array.</param>
internal sealed record EncodedValueShape(EncodedValueFormat Format, Type Declared, Type? Actual = null, long[]? Lengths = null)
{
    /// <summary>Type with which the bytes are decoded.</summary>
    public Type Stored => Actual ?? Declared;

    /// <summary>Number of dimensions of an array.</summary>
    public int Rank => Lengths?.Length ?? 1;
}
