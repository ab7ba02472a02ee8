using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>Layers of neural networks with random weights, added to a graph.</summary>
internal sealed class Layers(OnnxGraph graph, SeededRandom random)
{
    private const double BiasBound = 0.01;

    /// <summary>A padded convolution, whose output is smaller than its input only because of the stride.</summary>
    public void Convolution(string name, string input, int inputs, int outputs, int kernel, int stride)
    {
        var fanIn = inputs * kernel * kernel;
        var pad = kernel / 2;
        graph
            .Weights($"{name}.weight", random.Weights(outputs * fanIn, fanIn), outputs, inputs, kernel, kernel)
            .Weights($"{name}.bias", random.Spread(outputs, BiasBound), outputs)
            .Node("Conv", [input, $"{name}.weight", $"{name}.bias"], [name],
                OnnxAttribute.Ints("kernel_shape", kernel, kernel),
                OnnxAttribute.Ints("pads", pad, pad, pad, pad),
                OnnxAttribute.Ints("strides", stride, stride));
    }

    /// <summary>Two convolutions with a shortcut, which is a convolution if the shape changes.</summary>
    /// <returns>The name of the block's output.</returns>
    public string Residual(string name, string input, int inputs, int outputs, int stride)
    {
        var shortcut = input;
        if (inputs != outputs || stride != 1)
            Convolution(shortcut = $"{name}_shortcut", input, inputs, outputs, kernel: 1, stride);

        Convolution($"{name}_first", input, inputs, outputs, kernel: 3, stride);
        graph.Node("Relu", [$"{name}_first"], [$"{name}_first_relu"]);
        Convolution($"{name}_second", $"{name}_first_relu", outputs, outputs, kernel: 3, stride: 1);
        graph
            .Node("Add", [$"{name}_second", shortcut], [$"{name}_sum"])
            .Node("Relu", [$"{name}_sum"], [name]);
        return name;
    }

    /// <summary>A matrix product plus a bias.</summary>
    public void Dense(string name, string input, int inputs, int outputs) => graph
        .Weights($"{name}.weight", random.Weights(inputs * outputs, inputs), inputs, outputs)
        .Weights($"{name}.bias", random.Spread(outputs, BiasBound), outputs)
        .Node("Gemm", [input, $"{name}.weight", $"{name}.bias"], [name]);
}
