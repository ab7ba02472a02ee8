using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Inference.Tensors;

/// <summary>Tensors as bytes: little-endian, row-major, without padding; strings as a length of 4 bytes and their UTF-8. The same in REST's binary extension and in gRPC's raw contents.</summary>
internal static class BinaryTensorCodec
{
    private const int LengthSize = sizeof(uint);

    /// <summary>After how many bytes a writer is flushed: one flush for a large tensor would have the connection buffer it all.</summary>
    private const int Piece = 64 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A tensor over bytes, where they lie; a copy only of what is not aligned.</summary>
    /// <exception cref="BadInputException">The bytes are not what the head says; names the tensor.</exception>
    public static Tensor Read(InputTensorHeader head, Memory<byte> bytes, InferenceRequest owner)
    {
        var (type, count) = (head.RequireType(), head.Count());
        if (type == TensorType.String)
            return head.Over<string>(ReadStrings(head, bytes.Span, count));
        var size = TensorTypes.SizeOf(type);
        if (bytes.Length != (long)count * size)
            throw head.Fail($"{head} takes {(long)count * size} bytes; {bytes.Length} came.");
        if (type == TensorType.Bool && bytes.Span.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var at)
            throw head.Fail($"BOOL takes bytes of 0 and 1; at element {at} {bytes.Span[at]} came.");
        return Tensor.FromBytes(type, Aligned(bytes, size, owner), head.Shape!);
    }

    /// <summary>How many bytes a tensor takes.</summary>
    public static long SizeOf(Tensor tensor)
    {
        if (tensor is not Tensor<string> texts)
            return (long)tensor.Count * TensorTypes.SizeOf(tensor.Type);
        var size = 0L;
        foreach (var text in texts.Values.Span)
            size += LengthSize + Encoding.UTF8.GetByteCount(text);
        return size;
    }

    /// <summary>Writes a tensor's bytes. What is less than a piece is left for the caller to flush.</summary>
    public static async ValueTask WriteAsync(Tensor tensor, PipeWriter target, CancellationToken cancellationToken)
    {
        if (tensor is Tensor<string> texts)
        {
            WriteStrings(texts, target);
            return;
        }

        var size = (int)SizeOf(tensor);
        for (var start = 0; start < size; start += Piece)
        {
            var length = Math.Min(Piece, size - start);
            target.Write(tensor.Bytes.Slice(start, length));
            if (length == Piece)
                await target.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Writes the strings of a tensor; other tensors are their own bytes.</summary>
    public static void WriteStrings(Tensor<string> tensor, IBufferWriter<byte> target)
    {
        foreach (var text in tensor.Values.Span)
        {
            var length = Encoding.UTF8.GetByteCount(text);
            var span = target.GetSpan(LengthSize + length);
            BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)length);
            Encoding.UTF8.GetBytes(text, span[LengthSize..]);
            target.Advance(LengthSize + length);
        }
    }

    /// <summary>Reads a string without its length.</summary>
    /// <exception cref="BadInputException">It is no UTF-8.</exception>
    public static string ReadText(InputTensorHeader head, ReadOnlySpan<byte> bytes, int index)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException broken)
        {
            throw head.Fail($"string {index} is no UTF-8.", broken);
        }
    }

    private static string[] ReadStrings(InputTensorHeader head, ReadOnlySpan<byte> bytes, int count)
    {
        if ((long)count * LengthSize > bytes.Length)
            throw head.Fail($"{head} has {count} strings, each with a length of 4 bytes; {bytes.Length} bytes came.");
        var texts = new string[count];
        var rest = bytes;
        for (var index = 0; index < count; index++)
        {
            if (rest.Length < LengthSize)
                throw head.Fail($"{head} has {count} strings; the bytes end before number {index}.");
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            rest = rest[LengthSize..];
            if (length > rest.Length)
                throw head.Fail($"string {index} is said to have {length} bytes; {rest.Length} are left.");
            texts[index] = ReadText(head, rest[..(int)length], index);
            rest = rest[(int)length..];
        }

        return rest.IsEmpty ? texts : throw head.Fail($"{head} has {count} strings; {rest.Length} bytes are left after them.");
    }

    // Vector instructions of some machines fault on elements that straddle their size. The elements of an array begin at a multiple of 8.
    private static Memory<byte> Aligned(Memory<byte> bytes, int size, InferenceRequest owner)
    {
        if (size == 1 || bytes.IsEmpty || (MemoryMarshal.TryGetArray<byte>(bytes, out var array) && array.Offset % size == 0))
            return bytes;
        var copy = owner.Rent<byte>(bytes.Length);
        bytes.CopyTo(copy);
        return copy;
    }
}
