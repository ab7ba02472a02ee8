using System.Text;

namespace Serve.Runtime.Onnx.Tests.Fixtures;

/// <summary>Writes the protobuf messages of an ONNX file: fields of numbers, texts, bytes and messages.</summary>
public sealed class OnnxBytes
{
    private readonly List<byte> bytes = [];

    public OnnxBytes Number(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    public OnnxBytes Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public OnnxBytes Message(int field, OnnxBytes value) => Bytes(field, value.ToArray());

    public OnnxBytes Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        bytes.AddRange(value);
        return this;
    }

    public byte[] ToArray() => [.. bytes];

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }
}
