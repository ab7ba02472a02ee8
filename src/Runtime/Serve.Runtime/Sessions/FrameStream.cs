using System.Buffers.Binary;
using Google.Protobuf;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>
/// Messages of a session on a byte stream: four bytes of length, little endian, then the message. One writes at a time, and one reads. Plain sockets
/// carry it and not gRPC, whose client and server take longer to start than all the rest of a worker.
/// </summary>
internal sealed class FrameStream(Stream stream) : IDisposable
{
    private const int Header = sizeof(int);
    private const int Kept = 256 << 10;
    private byte[] output = new byte[4096];
    private byte[] input = new byte[16 << 10];
    private int start;
    private int end;

    public ValueTask WriteAsync(Frames message)
    {
        var size = message.CalculateSize();
        if (output.Length < size + Header || (output.Length > Kept && size + Header < Kept))
            output = new byte[Math.Max(4096, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(size + Header)))];
        BinaryPrimitives.WriteInt32LittleEndian(output, size);
        message.WriteTo(output.AsSpan(Header, size));
        return stream.WriteAsync(output.AsMemory(0, Header + size));
    }

    /// <summary>The next message; null at the end.</summary>
    public async ValueTask<Frames?> ReadAsync()
    {
        if (!await FillAsync(Header).ConfigureAwait(false))
            return null;
        var size = BinaryPrimitives.ReadInt32LittleEndian(input.AsSpan(start));
        start += Header;
        if (!await FillAsync(size).ConfigureAwait(false))
            return null;
        var message = Frames.Parser.ParseFrom(input, start, size);
        start += size;
        return message;
    }

    public void Dispose() => stream.Dispose();

    /// <summary>Has so many bytes in the buffer; false when the stream ends before.</summary>
    private async ValueTask<bool> FillAsync(int count)
    {
        while (end - start < count)
        {
            if (start > 0)
            {
                input.AsSpan(start, end - start).CopyTo(input);
                (start, end) = (0, end - start);
            }

            if (input.Length < count || (input.Length > Kept && count < Kept && end < Kept))
                Array.Resize(ref input, Math.Max(16 << 10, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count)));
            var read = await stream.ReadAsync(input.AsMemory(end)).ConfigureAwait(false);
            if (read == 0)
                return false;
            end += read;
        }

        return true;
    }
}
