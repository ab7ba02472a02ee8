using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>
/// A residual network of 18 layers (He et al., "Deep residual learning", 2015) as it looks after training, with batch normalisation folded into
/// the convolutions. The weights are random: runs cost as much as those of a trained network, but the results are meaningless.
/// Input <c>image</c> FP32 [N,3,224,224], output <c>logits</c> FP32 [N,1000].
/// </summary>
public static class ConvNet
{
    /// <summary>Height and width of the image.</summary>
    public const int ImageSize = 224;

    private const int Classes = 1000;

    /// <summary>Writes the network. The same arguments produce the same bytes.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="width">Channels of the first stage. 64 is the real network, 11.7 million weights in 47 MB; tests may use 8.</param>
    /// <param name="externalData">Stores the weights in <paramref name="path"/> plus ".data".</param>
    public static void Write(string path, ulong seed = 1, int width = 64, bool externalData = false) => Build(seed, width).Save(path, externalData);

    private static OnnxGraph Build(ulong seed, int width)
    {
        var graph = new OnnxGraph("convnet")
            .Describe("A residual network of 18 layers with random weights, for measurements.", version: 1)
            .Property("seed", $"{seed}")
            .Input("image", OnnxType.Float32, "N", 3, ImageSize, ImageSize);

        var layers = new Layers(graph, new SeededRandom(seed));
        layers.Convolution("stem", "image", inputs: 3, outputs: width, kernel: 7, stride: 2);
        graph
            .Node("Relu", ["stem"], ["stem_relu"])
            .Node("MaxPool", ["stem_relu"], ["stem_pool"],
                OnnxAttribute.Ints("kernel_shape", 3, 3), OnnxAttribute.Ints("pads", 1, 1, 1, 1), OnnxAttribute.Ints("strides", 2, 2));

        var (value, channels) = ("stem_pool", width);
        for (var stage = 0; stage < 4; stage++)
        {
            for (var block = 0; block < 2; block++)
            {
                var outputs = width << stage;
                value = layers.Residual($"stage{stage}_block{block}", value, channels, outputs, stride: stage > 0 && block == 0 ? 2 : 1);
                channels = outputs;
            }
        }

        graph
            .Node("GlobalAveragePool", [value], ["pooled"])
            .Node("Flatten", ["pooled"], ["features"], OnnxAttribute.Int("axis", 1));
        layers.Dense("logits", "features", channels, Classes);
        return graph.Output("logits", OnnxType.Float32, "N", Classes);
    }
}
