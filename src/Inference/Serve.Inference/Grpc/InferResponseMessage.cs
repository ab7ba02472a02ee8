using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Inference;
using Serve.Inference.Tensors;

namespace Serve.Inference.Grpc;

/// <summary>
/// A ModelInferResponse, or a ModelStreamInferResponse around one. Raw contents are copied straight from the tensors' memory into the response's buffer, so that memory must stay valid
/// until the message is written.
/// </summary>
internal sealed class InferResponseMessage
{
    // Triton's mark on the last response to a request of a stream (extension_parameters.md); here each request has one response.
    private const string FinalResponse = "triton_final_response";

    private const int TagSize = 1;
    private const int MaxVarintSize = 10;

    private readonly ModelInferResponse _head;
    private readonly IReadOnlyList<NamedTensor> _raw;
    private readonly bool _isStreamed;
    private readonly string? _error;

    private InferResponseMessage(ModelInferResponse head, IReadOnlyList<NamedTensor> raw, bool isStreamed, string? error = null) =>
        (_head, _raw, _isStreamed, _error) = (head, raw, isStreamed, error);

    public static Marshaller<InferResponseMessage> Marshaller { get; } = Marshallers.Create<InferResponseMessage>(
        static (message, context) => message.Write(context), static _ => throw new NotSupportedException("Responses are only written."));

    /// <summary>Creates the response of ModelInfer: typed contents if the request had them and every output has a typed form, otherwise raw contents.</summary>
    public static InferResponseMessage Create(string model, string version, InferenceRequest request, bool isRaw, ModelOutputs outputs)
    {
        var head = CreateHead(model, version, request, outputs);
        if (isRaw || outputs.Any(static output => !TensorElementFormat.Of(output.Tensor.Type).HasContents))
            return new(head, outputs, isStreamed: false);
        for (var index = 0; index < outputs.Count; index++)
            head.Outputs[index].Contents = TensorElementFormat.Of(outputs[index].Tensor.Type).WriteContents(outputs[index].Tensor);
        return new(head, [], isStreamed: false);
    }

    /// <summary>Creates a response of ModelStreamInfer, with raw contents.</summary>
    public static InferResponseMessage CreateStreamed(string model, string version, InferenceRequest request, ModelOutputs outputs) =>
        new(MarkFinal(CreateHead(model, version, request, outputs)), outputs, isStreamed: true);

    /// <summary>Creates the response of ModelStreamInfer to a failed request.</summary>
    /// <param name="id">Id of the request, since its client may have sent several; null if it has none.</param>
    /// <param name="error">The error.</param>
    public static InferResponseMessage CreateError(string? id, string error) => new(MarkFinal(new() { Id = id ?? "" }), [], isStreamed: true, error);

    private static ModelInferResponse CreateHead(string model, string version, InferenceRequest request, ModelOutputs outputs)
    {
        var head = new ModelInferResponse { ModelName = model, ModelVersion = version, Id = request.Id ?? "" };
        for (var index = 0; index < outputs.Count; index++)
        {
            var (name, tensor) = outputs[index];
            var output = new ModelInferResponse.Types.InferOutputTensor { Name = name, Datatype = TensorTypes.NameOf(tensor.Type) };
            foreach (var length in tensor.Shape)
                output.Shape.Add(length);
            head.Outputs.Add(output);
        }

        return head;
    }

    private static ModelInferResponse MarkFinal(ModelInferResponse head)
    {
        head.Parameters[FinalResponse] = new() { BoolParam = true };
        return head;
    }

    private void Write(SerializationContext context)
    {
        if (_error is not null)
        {
            GrpcMarshallers.Write(new ModelStreamInferResponse { ErrorMessage = _error, InferResponse = _head }, context);
            return;
        }

        var sizes = new long[_raw.Count];
        var size = (long)_head.CalculateSize();
        for (var index = 0; index < sizes.Length; index++)
        {
            sizes[index] = BinaryTensorCodec.SizeOf(_raw[index].Tensor);
            size += SizeOfField(sizes[index]);
        }

        var messageSize = _isStreamed ? SizeOfField(size) : size;
        if (messageSize > int.MaxValue)
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"The outputs require {messageSize} bytes, but a message is limited to {int.MaxValue}."));
        context.SetPayloadLength((int)messageSize);
        var target = context.GetBufferWriter();
        if (_isStreamed)
            WriteFieldHeader(target, ModelStreamInferResponse.InferResponseFieldNumber, size);
        _head.WriteTo(target);
        for (var index = 0; index < sizes.Length; index++)
        {
            WriteFieldHeader(target, ModelInferResponse.RawOutputContentsFieldNumber, sizes[index]);
            BinaryTensorCodec.Write(_raw[index].Tensor, target);
        }

        context.Complete();
    }

    private static long SizeOfField(long size) => TagSize + CodedOutputStream.ComputeUInt64Size((ulong)size) + size;

    /// <summary>Writes the tag and the length of a length-delimited field.</summary>
    private static void WriteFieldHeader(IBufferWriter<byte> target, int field, long size)
    {
        var span = target.GetSpan(TagSize + MaxVarintSize);
        span[0] = (byte)WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited);
        var length = TagSize;
        for (var rest = (ulong)size; ; rest >>= 7)
        {
            span[length++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                break;
        }

        target.Advance(length);
    }
}
