using System.Buffers.Binary;
using Microsoft.AspNetCore.Http;
using Serve.Runtime.RawGrpc;

namespace Serve.Runtime.Tests.Http;

public sealed class GrpcFramesTests
{
    // A few thousand bytes come at a time: each message ends, and the next begins, within what comes.
    [Fact]
    public async Task Read_MessagesInPieces_EachIsItsOwn()
    {
        byte[][] messages = [[.. Enumerable.Repeat((byte)1, 10_000)], [], [.. Enumerable.Repeat((byte)2, 10_001)], [3]];
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream([.. messages.SelectMany(Frame)]);
        foreach (var message in messages)
        {
            using var read = await GrpcFrames.ReadAsync(context.Request, CancellationToken.None);
            Assert.Equal(message, read!.Written.ToArray());
        }

        Assert.Null(await GrpcFrames.ReadAsync(context.Request, CancellationToken.None));
    }

    // .NET's compressing writers write nothing for nothing, and a message without fields is nothing.
    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Read_EmptyMessageThatWasCompressed_IsEmpty(string encoding)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers["grpc-encoding"] = encoding;
        context.Request.Body = new MemoryStream(Frame([], isCompressed: true));
        using var read = await GrpcFrames.ReadAsync(context.Request, CancellationToken.None);
        Assert.Equal(0, read!.Length);
    }

    private static byte[] Frame(byte[] message) => Frame(message, isCompressed: false);

    private static byte[] Frame(byte[] message, bool isCompressed)
    {
        byte[] frame = [isCompressed ? (byte)1 : (byte)0, 0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        return frame;
    }
}
