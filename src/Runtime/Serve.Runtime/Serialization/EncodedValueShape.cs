namespace Serve.Runtime.Serialization;

/// <summary>Shape of an encoded value.</summary>
/// <param name="Format">Format of the bytes.</param>
/// <param name="Declared">Declared type with which the value was encoded.</param>
/// <param name="Actual">Runtime type if it determined the encoding; otherwise null.</param>
/// <param name="Lengths">Dimensions of a multi-dimensional array.</param>
public sealed record EncodedValueShape(EncodedValueFormat Format, Type Declared, Type? Actual = null, long[]? Lengths = null)
{
    /// <summary>Type with which the bytes are decoded.</summary>
    public Type Stored => Actual ?? Declared;

    /// <summary>Number of dimensions of an array.</summary>
    public int Rank => Lengths?.Length ?? 1;
}

/// <summary>Format of an encoded value's bytes. Sent as a number.</summary>
public enum EncodedValueFormat
{
    /// <summary>Null; no bytes.</summary>
    Null,

    /// <summary>Memory representation of an unmanaged value.</summary>
    Raw,

    /// <summary>UTF-8 string.</summary>
    Utf8,

    /// <summary>UTF-16 string, for strings with unpaired surrogates.</summary>
    Utf16,

    /// <summary>Memory representation of an array's elements.</summary>
    Elements,

    /// <summary>Id of an object reference.</summary>
    Reference,

    /// <summary>Output of a <see cref="ValueSerializer"/>.</summary>
    Custom,

    /// <summary>Graph of objects, followed by the large arrays it contains, each a value of its own.</summary>
    Graph,

    /// <summary>JSON, for calls of deployments and queries. Not created by the value codec.</summary>
    Json,

    /// <summary>Actor address as JSON, for an actor handle.</summary>
    Handle,
}
