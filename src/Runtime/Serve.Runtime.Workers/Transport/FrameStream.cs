using System.Buffers.Binary;
using Google.Protobuf;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Messages on a byte stream: four bytes of length, little endian, then the message. At most one thread writes and one reads. Plain sockets are used
/// instead of gRPC, whose client and server take longer to start than the rest of a worker.
/// </summary>
internal sealed class FrameStream(Stream stream) : IDisposable
{
    private const int Header = sizeof(int);
    private const int Kept = 256 << 10;
    private byte[] _output = new byte[4096];
    private byte[] _input = new byte[16 << 10];
    private int _start;
    private int _end;

    public ValueTask WriteAsync(Frames message)
    {
        var size = message.CalculateSize();
        if (_output.Length < size + Header || (_output.Length > Kept && size + Header < Kept))
            _output = new byte[Math.Max(4096, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(size + Header)))];
        BinaryPrimitives.WriteInt32LittleEndian(_output, size);
        message.WriteTo(_output.AsSpan(Header, size));
        return stream.WriteAsync(_output.AsMemory(0, Header + size));
    }

    /// <summary>Reads the next message; null at the end of the stream.</summary>
    public async ValueTask<Frames?> ReadAsync()
    {
        if (!await FillAsync(Header).ConfigureAwait(false))
            return null;
        var size = BinaryPrimitives.ReadInt32LittleEndian(_input.AsSpan(_start));
        _start += Header;
        if (!await FillAsync(size).ConfigureAwait(false))
            return null;
        var message = Frames.Parser.ParseFrom(_input, _start, size);
        _start += size;
        return message;
    }

    public void Dispose() => stream.Dispose();

    /// <summary>Fills the buffer with at least this many bytes; false if the stream ends before.</summary>
    private async ValueTask<bool> FillAsync(int count)
    {
        while (_end - _start < count)
        {
            if (_start > 0)
            {
                _input.AsSpan(_start, _end - _start).CopyTo(_input);
                (_start, _end) = (0, _end - _start);
            }

            if (_input.Length < count || (_input.Length > Kept && count < Kept && _end < Kept))
                Array.Resize(ref _input, Math.Max(16 << 10, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count)));
            var read = await stream.ReadAsync(_input.AsMemory(_end)).ConfigureAwait(false);
            if (read == 0)
                return false;
            _end += read;
        }

        return true;
    }
}
