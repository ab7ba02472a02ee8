namespace Serve.Runtime.Serialization;

/// <summary>How a value's bytes are to be read, given its type. Travels as a number.</summary>
internal enum EncodedValueFormat
{
    /// <summary>No value; no bytes.</summary>
    Null,

    /// <summary>An unmanaged value as it lies in memory.</summary>
    Raw,

    /// <summary>A string in UTF-8.</summary>
    Utf8,

    /// <summary>A string that UTF-8 cannot hold, since it has half a surrogate pair.</summary>
    Utf16,

    /// <summary>The elements of an array as they lie in memory.</summary>
    Elements,

    /// <summary>One value for each field of a tuple.</summary>
    Fields,

    /// <summary>The id of a ref.</summary>
    Reference,

    /// <summary>What a <see cref="ValueSerializer"/> wrote.</summary>
    Custom,

    /// <summary>What MemoryPack wrote.</summary>
    MemoryPack,

    /// <summary>JSON.</summary>
    Json,

    /// <summary>JSON, then the large arrays that were inside it, each a value of its own.</summary>
    JsonAndArrays,

    /// <summary>The address of an actor whose handle it is, as JSON.</summary>
    Handle,
}
