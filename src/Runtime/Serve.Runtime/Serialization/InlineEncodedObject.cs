namespace Serve.Runtime.Serialization;

/// <summary>A value whose bytes travel in the message.</summary>
internal sealed class InlineEncodedObject(ObjectValueCodec codec, EncodedValueShape shape, ReadOnlyMemory<byte> bytes) : EncodedObject(codec, shape)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    public override long Size => bytes.Length;

    internal override PinnedByteView Open() => new(bytes);
}
