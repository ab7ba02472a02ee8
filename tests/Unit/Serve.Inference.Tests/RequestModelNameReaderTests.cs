using System.Buffers;
using Google.Protobuf;
using Inference;
using Serve.Inference.Grpc;

namespace Serve.Inference.Tests;

public sealed class RequestModelNameReaderTests
{
    private const string Name = "größer";
    private static readonly byte[] NameField = [0x0A, 8, .. "größer"u8];

    [Fact]
    public void Read_FirstField_ReturnsNameWhenComplete()
    {
        byte[] message = [.. NameField, .. Tensors(1000)];
        for (var length = 0; length <= message.Length; length++)
            Assert.Equal(length < NameField.Length ? null : Name, Read(message.AsMemory(0, length)));
    }

    [Fact]
    public void Read_AfterTensors_ReturnsNameWhenComplete()
    {
        byte[] message = [.. Tensors(1000), .. NameField, .. Tensors(10)];
        var end = 0;
        while (Read(message.AsMemory(0, end)) is null)
            end++;
        Assert.Equal(Tensors(1000).Length + NameField.Length, end);
        Assert.Equal(Name, Read(message));
    }

    // Every kind of field that may precede the name.
    [Theory]
    [InlineData(new byte[] { 0x78, 1 })]
    [InlineData(new byte[] { 0x78, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1 })]
    [InlineData(new byte[] { 0x79, 1, 2, 3, 4, 5, 6, 7, 8 })]
    [InlineData(new byte[] { 0x7D, 1, 2, 3, 4 })]
    [InlineData(new byte[] { 0x7A, 3, 0x0A, 1, 65 })]
    [InlineData(new byte[] { 0x7A, 0 })]
    [InlineData(new byte[] { 0x08, 5 })]
    [InlineData(new byte[] { 0xFA, 0xFF, 0xFF, 0xFF, 0x0F, 1, 7 })]
    public void Read_AfterAnotherField_ReturnsName(byte[] field) => Assert.Equal(Name, Read((byte[])[.. field, .. NameField]));

    [Theory]
    [InlineData(new byte[] { 0x0B })]
    [InlineData(new byte[] { 0x0C })]
    [InlineData(new byte[] { 0x0F, 1 })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x78, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1 })]
    [InlineData(new byte[] { 0x79, 1 })]
    [InlineData(new byte[] { 0x7D, 1 })]
    public void Read_Malformed_ReturnsNull(byte[] message)
    {
        Assert.Null(Read(message));
        if (message[0] is not (0x79 or 0x7D))
            Assert.Null(Read((byte[])[.. message, .. NameField]));
    }

    [Fact]
    public void Read_NoName_ReturnsNull() => Assert.Null(Read(Tensors(100)));

    [Fact]
    public void Read_EmptyName_ReturnsEmpty() => Assert.Equal("", Read(new byte[] { 0x0A, 0 }));

    [Fact]
    public void Read_OneByteSegments_ReturnsName()
    {
        byte[] message = [.. Tensors(300), .. NameField, .. Tensors(10)];
        var first = new Piece(message.AsMemory(0, 1), null);
        var last = first;
        for (var at = 1; at < message.Length; at++)
            last = new Piece(message.AsMemory(at, 1), last);
        Assert.Equal(Name, new RequestModelNameReader(new ReadOnlySequence<byte>(first, 0, last, 1)).Read());
    }

    private static string? Read(ReadOnlyMemory<byte> message) => new RequestModelNameReader(new ReadOnlySequence<byte>(message)).Read();

    private static byte[] Tensors(int size) => new ModelInferRequest
    {
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "UINT8", Shape = { size } } },
        RawInputContents = { ByteString.CopyFrom([.. Enumerable.Repeat((byte)0x0A, size)]) },
    }.ToByteArray();

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
