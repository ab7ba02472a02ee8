using System.Buffers;

namespace Serve.Runtime.Serialization;

/// <summary>Bytes that do not move until disposed.</summary>
internal readonly unsafe struct PinnedByteView : IDisposable
{
    private readonly MemoryHandle _pin;
    private readonly IDisposable? _owner;

    public PinnedByteView(ReadOnlyMemory<byte> bytes)
    {
        _pin = bytes.Pin();
        Pointer = (byte*)_pin.Pointer;
        Length = bytes.Length;
    }

    public PinnedByteView(byte* pointer, long length, IDisposable owner)
    {
        Pointer = pointer;
        Length = length;
        _owner = owner;
    }

    public byte* Pointer { get; }

    public long Length { get; }

    public ReadOnlySpan<byte> Span => new(Pointer, checked((int)Length));

    public void Dispose()
    {
        _pin.Dispose();
        _owner?.Dispose();
    }
}
