namespace Serve.Runtime.Serialization;

/// <summary>A value that is stored as several.</summary>
internal sealed class CompositeObject(ValueCodec codec, ValueShape shape, IReadOnlyList<EncodedObject> items) : EncodedObject(codec, shape)
{
    public IReadOnlyList<EncodedObject> Items => items;

    internal override long Size { get; } = items.Sum(item => item.Size);

    internal override ByteView Open() => items[0].Open();
}
