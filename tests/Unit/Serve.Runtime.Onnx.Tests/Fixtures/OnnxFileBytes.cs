using System.Text;

namespace Serve.Runtime.Onnx.Tests.Fixtures;

/// <summary>Writes the protobuf messages of an ONNX file: fields of numbers, texts, bytes and messages.</summary>
public sealed class OnnxFileBytes
{
    private readonly List<byte> _bytes = [];

    public OnnxFileBytes Number(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    public OnnxFileBytes Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public OnnxFileBytes Message(int field, OnnxFileBytes value) => Bytes(field, value.ToArray());

    public OnnxFileBytes Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        _bytes.AddRange(value);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Add((byte)(value | 0x80));
        _bytes.Add((byte)value);
    }
}
