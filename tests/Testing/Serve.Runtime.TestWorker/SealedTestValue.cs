using System.Buffers;
using System.Buffers.Binary;

namespace Serve.Runtime.TestWorker;

/// <summary>A value that requires a custom serializer.</summary>
public sealed class SealedTestValue
{
    private int _hidden;

    public static SealedTestValue Of(int number) => new() { _hidden = number };

    public int Reveal() => _hidden;
}

/// <summary>Serializes <see cref="SealedTestValue"/>.</summary>
public sealed class SealedTestValueSerializer : ValueSerializer<SealedTestValue>
{
    public override void Serialize(SealedTestValue value, IBufferWriter<byte> output)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(sizeof(int)), value.Reveal());
        output.Advance(sizeof(int));
    }

    public override SealedTestValue Deserialize(ReadOnlySpan<byte> bytes) => SealedTestValue.Of(BinaryPrimitives.ReadInt32LittleEndian(bytes));
}
