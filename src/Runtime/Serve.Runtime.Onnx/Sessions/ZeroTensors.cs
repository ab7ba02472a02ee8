namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Creates inputs for runs whose results do not matter.</summary>
internal static class ZeroTensors
{
    /// <summary>Creates a tensor of zeros, or of empty strings, for each input.</summary>
    /// <param name="inputs">Inputs of a model.</param>
    /// <param name="rows">Length of a first dimension that the model does not fix.</param>
    /// <param name="others">Length of the other dimensions that it does not fix.</param>
    public static NamedTensor[] Of(IEnumerable<TensorSpec> inputs, long rows, long others) =>
        [.. inputs.Select(input => new NamedTensor(input.Name, Of(input.Type, [.. input.Shape.Select((length, place) => length >= 0 ? length : place == 0 ? rows : others)])))];

    private static Tensor Of(TensorType type, long[] shape)
    {
        var count = shape.Aggregate(1L, (product, length) => product * length);
        return type == TensorType.String
            ? new Tensor<string>(Enumerable.Repeat("", (int)count).ToArray(), shape)
            : Tensor.FromBytes(type, new byte[checked((int)count * TensorTypes.SizeOf(type))], shape);
    }
}
