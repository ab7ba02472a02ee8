namespace Serve.Runtime.Serialization;

/// <summary>Format of an encoded value's bytes. Sent as a number.</summary>
internal enum EncodedValueFormat
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

    /// <summary>One value per field of a tuple.</summary>
    Fields,

    /// <summary>Id of an object reference.</summary>
    Reference,

    /// <summary>Output of a <see cref="ValueSerializer"/>.</summary>
    Custom,

    /// <summary>Output of MemoryPack.</summary>
    MemoryPack,

    /// <summary>JSON.</summary>
    Json,

    /// <summary>JSON followed by the large arrays it contained, each a value of its own.</summary>
    JsonAndArrays,

    /// <summary>Actor address as JSON, for an actor handle.</summary>
    Handle,
}
