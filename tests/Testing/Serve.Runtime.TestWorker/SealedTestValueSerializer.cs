using System.Buffers;
using System.Buffers.Binary;

namespace Serve.Runtime.TestWorker;

/// <summary>Carries <see cref="SealedTestValue"/>.</summary>
public sealed class SealedTestValueSerializer : ValueSerializer<SealedTestValue>
{
    public override void Serialize(SealedTestValue value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(sizeof(int)), value.Reveal());
        output.Advance(sizeof(int));
    }

    public override SealedTestValue Deserialize(ReadOnlySpan<byte> bytes) => SealedTestValue.Of(BinaryPrimitives.ReadInt32LittleEndian(bytes));
}
