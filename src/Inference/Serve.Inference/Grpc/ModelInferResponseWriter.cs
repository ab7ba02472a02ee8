using Google.Protobuf;
using Inference;
using Microsoft.AspNetCore.Http;
using Serve.Inference.Tensors;
using Serve.Runtime;
using Serve.Runtime.RawGrpc;

namespace Serve.Inference.Grpc;

/// <summary>
/// Writes ModelInferResponse messages (inference.proto), in the form in which the request came: raw contents straight from the tensors' memory, or typed
/// ones where all outputs have a typed form.
/// </summary>
internal static class ModelInferResponseWriter
{
    /// <summary>Answers with the outputs.</summary>
    public static Task WriteAsync(
        HttpContext context, string model, string version, InferenceRequest request, bool isRaw, ModelOutputs outputs, CancellationToken cancellationToken)
    {
        var head = Head(model, version, request, outputs);
        if (isRaw || outputs.Any(output => !TypedTensorContents.CanHold(output.Tensor.Type)))
            return WriteRawAsync(context, head, outputs, cancellationToken);
        for (var index = 0; index < outputs.Count; index++)
            head.Outputs[index].Contents = TypedTensorContents.Write(outputs[index].Tensor);
        return GrpcAnswers.WriteAsync(context, head, cancellationToken);
    }

    /// <summary>The response without its elements.</summary>
    public static ModelInferResponse Head(string model, string version, InferenceRequest request, ModelOutputs outputs)
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

    /// <summary>A tensor's elements as raw contents, copied: for messages within messages.</summary>
    public static ByteString Raw(Tensor tensor)
    {
        if (tensor is not Tensor<string> texts)
            return ByteString.CopyFrom(tensor.Bytes);
        using var buffer = new PooledBufferWriter();
        BinaryTensorCodec.WriteStrings(texts, buffer);
        return ByteString.CopyFrom(buffer.Written.Span);
    }

    private static async Task WriteRawAsync(HttpContext context, ModelInferResponse head, ModelOutputs outputs, CancellationToken cancellationToken)
    {
        var sizes = new long[outputs.Count];
        var whole = (long)head.CalculateSize();
        for (var index = 0; index < sizes.Length; index++)
        {
            sizes[index] = BinaryTensorCodec.SizeOf(outputs[index].Tensor);
            whole += 1 + CodedOutputStream.ComputeUInt64Size((ulong)sizes[index]) + sizes[index];
        }

        if (whole > int.MaxValue)
            throw new GrpcException(GrpcStatus.ResourceExhausted, $"The outputs take {whole} bytes; a message holds 2^31 - 1.");
        var body = context.Response.BodyWriter;
        GrpcFrames.WriteHead(body, whole);
        head.WriteTo(body);
        for (var index = 0; index < sizes.Length; index++)
        {
            WriteFieldHead(body, sizes[index]);
            await BinaryTensorCodec.WriteAsync(outputs[index].Tensor, body, cancellationToken);
        }

        await body.FlushAsync(cancellationToken);
    }

    private static void WriteFieldHead(System.IO.Pipelines.PipeWriter target, long size)
    {
        var span = target.GetSpan(11);
        span[0] = (ModelInferResponse.RawOutputContentsFieldNumber << 3) | (int)WireFormat.WireType.LengthDelimited;
        var length = 1;
        for (var rest = (ulong)size; ; rest >>= 7)
        {
            span[length++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                break;
        }

        target.Advance(length);
    }
}
