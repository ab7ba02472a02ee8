using ModelMaker;

namespace Serve.Models.Tests;

public sealed class MlpModelTests
{
    [Fact]
    public void Write_TwoLayers_MatchesReference()
    {
        const int width = 6;
        using var folder = new TemporaryTestFolder();
        Mlp.Write(folder.In("mlp.onnx"), seed: 3, width, layers: 2);
        using var model = OnnxTestSession.Open(folder.In("mlp.onnx"));
        var x = new SeededRandom(9).Spread(2 * width, 1);

        using var answer = model.Run(("x", OnnxTestSession.Tensor(x, 2, width)));

        var random = new SeededRandom(3);
        var hidden = Dense(x, random, width).Select(value => Math.Max(0, value)).ToArray();
        var expected = Dense(hidden, random, width);
        Assert.Equal([2, width], answer.Shape("y"));
        foreach (var (a, b) in expected.Zip(answer.Values<float>("y")))
            Assert.Equal(a, b, 1e-5f);
    }

    [Fact]
    public void Write_WidthAndLayers_DetermineSize()
    {
        using var folder = new TemporaryTestFolder();
        Mlp.Write(folder.In("four"), width: 128, layers: 4);
        Mlp.Write(folder.In("eight"), width: 128, layers: 8);

        Assert.InRange(new FileInfo(folder.In("four")).Length, 4 * 128 * 128 * 4, 4 * 128 * 132 * 4);
        Assert.InRange(new FileInfo(folder.In("eight")).Length, 8 * 128 * 128 * 4, 8 * 128 * 132 * 4);
    }

    private static float[] Dense(float[] x, SeededRandom random, int width)
    {
        var (weights, biases) = (random.Weights(width * width, width), random.Spread(width, 0.01));
        var y = new float[x.Length];
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = biases[i % width];
            for (var k = 0; k < width; k++)
                y[i] += x[i / width * width + k] * weights[k * width + i % width];
        }

        return y;
    }
}
