using System.Buffers;
using System.Buffers.Binary;

namespace Serve.Runtime.TestWorker;

/// <summary>Carries <see cref="Sealed"/>.</summary>
public sealed class SealedSerializer : ValueSerializer<Sealed>
{
    public override void Serialize(Sealed value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(sizeof(int)), value.Reveal());
        output.Advance(sizeof(int));
    }

    public override Sealed Deserialize(ReadOnlySpan<byte> bytes) => Sealed.Of(BinaryPrimitives.ReadInt32LittleEndian(bytes));
}
