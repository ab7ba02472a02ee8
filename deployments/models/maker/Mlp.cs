using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>
/// A stack of square dense layers, whose cost is dominated by reading the weights, which a batch shares. Input <c>x</c> FP32
/// [N,width], output <c>y</c> FP32 [N,width].
/// </summary>
public static class Mlp
{
    /// <summary>Writes the network. The same arguments produce the same bytes.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="width">Rows and columns of each layer's matrix: 512 is 1 MB of weights a layer.</param>
    /// <param name="layers">Number of layers; all but the last one end with a ReLU.</param>
    public static void Write(string path, ulong seed = 1, int width = 512, int layers = 4)
    {
        var graph = new OnnxGraph("mlp")
            .Describe($"{layers} dense layers of {width} x {width} random weights, for measurements.", version: 1)
            .Property("seed", $"{seed}")
            .Input("x", OnnxType.Float32, "N", width);

        var stack = new Layers(graph, new SeededRandom(seed));
        var value = "x";
        for (var layer = 0; layer < layers - 1; layer++)
        {
            stack.Dense($"layer{layer}", value, width, width);
            graph.Node("Relu", [$"layer{layer}"], [value = $"relu{layer}"]);
        }

        stack.Dense("y", value, width, width);
        graph.Output("y", OnnxType.Float32, "N", width).Save(path);
    }
}
