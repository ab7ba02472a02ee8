using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>
/// Parser of raw binary requests (binary tensor data extension): the body has the elements of the model's only input, their number follows from its length, and all outputs
/// are returned as bytes.
/// </summary>
internal static class RawBinaryRequestReader
{
    /// <summary>Parses a request.</summary>
    /// <exception cref="BadInputException">The model has several inputs, or the shape cannot be inferred from the length.</exception>
    public static void Read(Memory<byte> body, OnnxModel model, InferenceRequest request)
    {
        if (model.Inputs is not [var input])
            throw new BadInputException($"{InferRequestBody.HeaderLengthName} is 0, which requires a model with one input, but this model has {string.Join("; ", model.Inputs)}.");
        var head = new InputTensorHeader(input.Name) { Type = input.Type };
        request.BinaryOutputs = true;
        request.Inputs.Add(new(input.Name, input.Type == TensorType.String ? ReadText(head, input, body) : ReadElements(head, input, body, request)));
    }

    // The open length follows from the size of the body; with two open lengths the request is one item.
    private static Tensor ReadElements(InputTensorHeader head, TensorSpec input, Memory<byte> body, InferenceRequest request)
    {
        long[] shape = [.. input.Shape];
        if (input.HasBatch && shape.Count(static length => length < 0) > 1)
            shape[0] = 1;
        var open = Array.IndexOf(shape, -1);
        if (open >= 0)
        {
            if (Array.IndexOf(shape, -1, open + 1) >= 0)
                throw head.Fail($"the shape of {input} cannot be inferred from the length of the body; send a JSON request.");
            shape[open] = 1;
            head.Shape = shape;
            var size = (long)head.Count() * TensorTypes.SizeOf(input.Type);
            shape[open] = size == 0 ? 0 : body.Length / size;
        }

        head.Shape = shape;
        return BinaryTensorCodec.Read(head, body, request);
    }

    // A single string has no length prefix.
    private static Tensor<string> ReadText(InputTensorHeader head, TensorSpec input, Memory<byte> body)
    {
        if (input.Shape.Any(static length => length is not (-1 or 1)))
            throw head.Fail($"a request without JSON has one string, but the model expects {input}.");
        head.Shape = [.. input.Shape.Select(static _ => 1L)];
        return head.Over<string>(new[] { BinaryTensorCodec.ReadText(head, body.Span, 0) });
    }
}
