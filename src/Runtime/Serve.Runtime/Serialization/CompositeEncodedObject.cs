namespace Serve.Runtime.Serialization;

/// <summary>Value that is stored as several values.</summary>
public sealed class CompositeEncodedObject(IValueCodec codec, EncodedValueShape shape, IReadOnlyList<EncodedObject> items) : EncodedObject(codec, shape)
{
    public IReadOnlyList<EncodedObject> Items => items;

    public override long Size { get; } = items.Sum(item => item.Size);

    public override bool IsShared { get; } = items.Any(item => item.IsShared);

    public override void Pin()
    {
        foreach (var item in items)
            item.Pin();
    }

    public override void Unpin()
    {
        foreach (var item in items)
            item.Unpin();
    }

    internal override PinnedByteView Open() => items[0].Open();

    public override void AttachTo(ObjectRef reference)
    {
        base.AttachTo(reference);
        foreach (var item in items)
            item.AttachTo(reference);
    }

    public override void Free(string reason)
    {
        foreach (var item in items)
            item.Free(reason);
    }
}
