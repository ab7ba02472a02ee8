namespace Serve;

/// <summary>An object as bytes: in a message, in shared memory, or on disk. Made and freed by the runtime's object store.</summary>
internal abstract class StoredObject
{
    /// <summary>How many bytes it holds.</summary>
    internal abstract long Size { get; }

    /// <summary>The object itself.</summary>
    /// <exception cref="ObjectLostException">Its bytes are gone.</exception>
    internal abstract object? Load(Type type);
}
