using Google.Protobuf;
using Serve.Runtime.Actors;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Converts values to and from the messages of one peer.</summary>
internal static class WireValueConverter
{
    /// <summary>Converts a value for a message.</summary>
    /// <param name="stored">The value. Keep it alive until the peer has confirmed the message, since it opens shared memory when it reads it.</param>
    /// <param name="declared">Type as which the peer reads it.</param>
    /// <param name="peer">Counts the references inside.</param>
    public static Wire.Value ToWire(EncodedObject stored, Type declared, IPeerReferenceResolver peer)
    {
        var shape = stored.Shape;
        var value = new Wire.Value { Format = (int)shape.Format };
        if (shape.Actual is { } actual)
            value.Type = actual.AssemblyQualifiedName;
        else if (shape.Declared != declared && shape.Format != EncodedValueFormat.Null)
            value.Type = shape.Declared.AssemblyQualifiedName;
        if (shape.Lengths is { } lengths)
            value.Lengths.Add(lengths);
        foreach (var held in stored.References)
        {
            if (held is ObjectRef reference)
                value.References.Add(peer.Export(reference));
            else if (held is IActorHandleLink handle)
                value.Actors.Add(peer.Export(handle));
        }

        switch (stored)
        {
            case InlineEncodedObject inline:
                value.Inline = UnsafeByteOperations.UnsafeWrap(inline.Bytes);
                break;
            case SharedMemoryObject shared:
                value.Segment = ToWire(shared.Describe());
                break;
            case CompositeEncodedObject composite:
                value.Items = new();
                value.Items.Values.AddRange(composite.Items.Select(item => ToWire(item, item.Shape.Declared, peer)));
                break;
        }

        return value;
    }

    /// <summary>Converts a value from a message.</summary>
    /// <param name="value">The received value.</param>
    /// <param name="declared">Type as which it is read: of the parameter, the result or the reference.</param>
    /// <param name="codec">The codec of this process.</param>
    /// <param name="peer">Counts the references inside.</param>
    public static EncodedObject FromWire(Wire.Value value, Type declared, ObjectValueCodec codec, IPeerReferenceResolver peer)
    {
        Type? actual = null;
        if (value.Type.Length > 0)
            actual = ValueTypeTraits.Find(value.Type) ?? throw new NotSerializableException($"Type {value.Type} was not found in this process. Driver and workers must be built from the same code.");
        var shape = new EncodedValueShape((EncodedValueFormat)value.Format, declared, actual, value.Lengths.Count == 0 ? null : [.. value.Lengths]);
        object[] held = value.References.Count + value.Actors.Count == 0 ? [] : [.. value.References.Select(peer.Adopt), .. value.Actors.Select(peer.AdoptActor)];
        return value.ContentCase switch
        {
            Wire.Value.ContentOneofCase.Items => new CompositeEncodedObject(codec, shape, Items(value, shape, codec, peer)) { References = held, Peer = peer },
            Wire.Value.ContentOneofCase.Segment => codec.Segments!.Adopt(codec, shape, SharedMemorySegment.Open(FromWire(value.Segment)), held, peer),
            _ => new InlineEncodedObject(codec, shape, value.Inline.Memory) { References = held, Peer = peer },
        };
    }

    // The graph, then its large arrays.
    private static EncodedObject[] Items(Wire.Value value, EncodedValueShape shape, ObjectValueCodec codec, IPeerReferenceResolver peer) =>
        [.. value.Items.Values.Select((item, index) => FromWire(item, index == 0 ? shape.Stored : typeof(Array), codec, peer))];

    internal static Wire.Segment ToWire(SegmentDescriptor segment) => new()
    {
        Path = segment.Path,
        ProcessId = segment.ProcessId,
        FileDescriptor = segment.FileDescriptor,
        Name = segment.Name,
        Offset = segment.Offset,
        Length = segment.Length,
        Use = segment.Use,
    };

    private static SegmentDescriptor FromWire(Wire.Segment segment) =>
        new(segment.Path, segment.ProcessId, segment.FileDescriptor, segment.Name, segment.Offset, segment.Length, segment.Use);
}
