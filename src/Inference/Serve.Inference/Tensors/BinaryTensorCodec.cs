using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Inference.Tensors;

/// <summary>Binary form of tensors, in REST's binary extension and in gRPC's raw contents: little-endian, row-major, without padding; a string is a 4-byte length and UTF-8.</summary>
internal static class BinaryTensorCodec
{
    private const int LengthSize = sizeof(uint);

    /// <summary>Number of bytes after which a writer is flushed, so that the connection does not buffer a whole large tensor.</summary>
    private const int Piece = 64 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Creates a tensor over bytes in place; copies them only if they are not aligned.</summary>
    /// <exception cref="BadInputException">The bytes do not match the header; names the tensor.</exception>
    public static Tensor Read(InputTensorHeader head, Memory<byte> bytes, InferenceRequest owner)
    {
        var (type, count) = (head.RequireType(), head.Count());
        if (type == TensorType.String)
            return head.Over<string>(ReadStrings(head, bytes.Span, count));
        var size = TensorTypes.SizeOf(type);
        if (bytes.Length != (long)count * size)
            throw head.Fail($"{head} requires {(long)count * size} bytes, but has {bytes.Length}.");
        if (type == TensorType.Bool && bytes.Span.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var at)
            throw head.Fail($"BOOL elements must be bytes of 0 and 1, but element {at} was {bytes.Span[at]}.");
        return Tensor.FromBytes(type, Aligned(bytes, size, owner), head.Shape!);
    }

    /// <summary>Returns the number of bytes of a tensor.</summary>
    public static long SizeOf(Tensor tensor)
    {
        if (tensor is not Tensor<string> texts)
            return (long)tensor.Count * TensorTypes.SizeOf(tensor.Type);
        var size = 0L;
        foreach (var text in texts.Values.Span)
            size += LengthSize + Encoding.UTF8.GetByteCount(text);
        return size;
    }

    /// <summary>Writes the bytes of a tensor.</summary>
    public static void Write(Tensor tensor, IBufferWriter<byte> target)
    {
        if (tensor is Tensor<string> texts)
            WriteStrings(texts, target);
        else
            target.Write(tensor.Bytes);
    }

    /// <summary>Writes the bytes of a tensor and flushes them in pieces; the caller flushes the last one.</summary>
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

    /// <summary>Writes a tensor of strings.</summary>
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

    /// <summary>Reads a string without a length prefix.</summary>
    /// <exception cref="BadInputException">The bytes are not valid UTF-8.</exception>
    public static string ReadText(InputTensorHeader head, ReadOnlySpan<byte> bytes, int index)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException broken)
        {
            throw head.Fail($"string {index} is not valid UTF-8.", broken);
        }
    }

    private static string[] ReadStrings(InputTensorHeader head, ReadOnlySpan<byte> bytes, int count)
    {
        if ((long)count * LengthSize > bytes.Length)
            throw head.Fail($"{head} has {count} strings, each prefixed with a 4-byte length, but the data has {bytes.Length} bytes.");
        var texts = new string[count];
        var rest = bytes;
        for (var index = 0; index < count; index++)
        {
            if (rest.Length < LengthSize)
                throw head.Fail($"{head} has {count} strings, but the data ends before string {index}.");
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            rest = rest[LengthSize..];
            if (length > rest.Length)
                throw head.Fail($"string {index} declares {length} bytes, but {rest.Length} remain.");
            texts[index] = ReadText(head, rest[..(int)length], index);
            rest = rest[(int)length..];
        }

        return rest.IsEmpty ? texts : throw head.Fail($"{head} has {count} strings, but {rest.Length} bytes remain after them.");
    }

    // Vector instructions of some processors fault on unaligned elements. The elements of an array start at a multiple of 8.
    private static Memory<byte> Aligned(Memory<byte> bytes, int size, InferenceRequest owner)
    {
        if (size == 1 || bytes.IsEmpty || (MemoryMarshal.TryGetArray<byte>(bytes, out var array) && array.Offset % size == 0))
            return bytes;
        var copy = owner.Rent<byte>(bytes.Length);
        bytes.CopyTo(copy);
        return copy;
    }
}
