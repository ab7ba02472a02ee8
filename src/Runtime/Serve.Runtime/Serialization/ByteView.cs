using System.Buffers;

namespace Serve.Runtime.Serialization;

/// <summary>Bytes that stay where they are until this is disposed.</summary>
internal readonly unsafe struct ByteView : IDisposable
{
    private readonly MemoryHandle pin;
    private readonly IDisposable? owner;

    public ByteView(ReadOnlyMemory<byte> bytes)
    {
        pin = bytes.Pin();
        Pointer = (byte*)pin.Pointer;
        Length = bytes.Length;
    }

    public ByteView(byte* pointer, long length, IDisposable owner)
    {
        Pointer = pointer;
        Length = length;
        this.owner = owner;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    public ReadOnlySpan<byte> Span => new(Pointer, checked((int)Length));

    public void Dispose()
    {
        pin.Dispose();
        owner?.Dispose();
    }
}
