using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>
/// A request without JSON, as the binary tensor data extension has it: the body is the one input's elements, their number follows from its length, and all outputs
/// are wanted as bytes.
/// </summary>
internal static class RawBinaryRequestReader
{
    /// <summary>Reads a request.</summary>
    /// <exception cref="BadInputException">The model takes more than one input, or the length does not tell the shape.</exception>
    public static void Read(Memory<byte> body, OnnxModel model, InferenceRequest request)
    {
        if (model.Inputs is not [var input])
            throw new BadInputException($"{InferRequestBody.HeaderLengthName} is 0: such a request is for models of one input; this one takes {string.Join("; ", model.Inputs)}.");
        var head = new InputTensorHeader(input.Name) { Type = input.Type };
        request.BinaryOutputs = true;
        request.Inputs.Add(new(input.Name, input.Type == TensorType.String ? ReadText(head, input, body) : ReadElements(head, input, body, request)));
    }

    // The open length follows from the size; with a second one the request is one item.
    private static Tensor ReadElements(InputTensorHeader head, TensorSpec input, Memory<byte> body, InferenceRequest request)
    {
        long[] shape = [.. input.Shape];
        if (input.HasBatch && shape.Count(static length => length < 0) > 1)
            shape[0] = 1;
        var open = Array.IndexOf(shape, -1);
        if (open >= 0)
        {
            if (Array.IndexOf(shape, -1, open + 1) >= 0)
                throw head.Fail($"the length of the request does not tell the shape of {input}; send the request's JSON.");
            shape[open] = 1;
            head.Shape = shape;
            var size = (long)head.Count() * TensorTypes.SizeOf(input.Type);
            shape[open] = size == 0 ? 0 : body.Length / size;
        }

        head.Shape = shape;
        return BinaryTensorCodec.Read(head, body, request);
    }

    // The text itself: a single one needs no length before it.
    private static Tensor<string> ReadText(InputTensorHeader head, TensorSpec input, Memory<byte> body)
    {
        if (input.Shape.Any(static length => length is not (-1 or 1)))
            throw head.Fail($"a request without JSON is one string; the model takes {input}.");
        head.Shape = [.. input.Shape.Select(static _ => 1L)];
        return head.Over<string>(new[] { BinaryTensorCodec.ReadText(head, body.Span, 0) });
    }
}
