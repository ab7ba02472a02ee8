using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Serve.Http;

namespace Serve.Inference.Grpc;

/// <summary>Marshallers over grpc-dotnet's buffers.</summary>
internal static class GrpcMarshallers
{
    /// <summary>Gets the marshaller of received messages that are parsed later: copies the bytes once, into a pooled buffer.</summary>
    public static Marshaller<PooledBufferWriter> Bytes { get; } = Marshallers.Create<PooledBufferWriter>(
        static (_, _) => throw new NotSupportedException("Only received messages are kept as bytes."),
        static context =>
        {
            var message = new PooledBufferWriter(context.PayloadLength);
            foreach (var segment in context.PayloadAsReadOnlySequence())
                message.Write(segment.Span);
            return message;
        });

    /// <summary>Creates the marshaller of a generated class. A message that cannot be parsed fails the call with <see cref="StatusCode.InvalidArgument"/>.</summary>
    public static Marshaller<T> Of<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => Marshallers.Create<T>(Write, context => Parse(parser, context));

    /// <summary>Writes a message of known size without an intermediate copy.</summary>
    public static void Write(IMessage message, SerializationContext context)
    {
        context.SetPayloadLength(message.CalculateSize());
        message.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    private static T Parse<T>(MessageParser<T> parser, DeserializationContext context)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(context.PayloadAsReadOnlySequence());
        }
        catch (InvalidProtocolBufferException error)
        {
            throw GrpcErrors.ToRpcException(error);
        }
    }
}
