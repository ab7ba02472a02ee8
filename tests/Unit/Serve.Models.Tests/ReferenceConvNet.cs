using ModelMaker;

namespace Serve.Models.Tests;

/// <summary>A slow reference implementation of the convolutional network in loops, independent of the generated graph.</summary>
internal sealed class ReferenceConvNet(ulong seed, int width)
{
    private readonly SeededRandom _random = new(seed);

    public float[] Logits(float[] image)
    {
        var value = MaxPool(Relu(Convolve(new FeatureMapPlanes(image, 3, ConvNet.ImageSize), width, kernel: 7, stride: 2)));
        foreach (var (channels, stride) in new[] { (1, 1), (1, 1), (2, 2), (2, 1), (4, 2), (4, 1), (8, 2), (8, 1) })
            value = Block(value, channels * width, stride);

        var means = Enumerable.Range(0, value.Channels).Select(channel => value.Of(channel).ToArray().Average()).ToArray();
        var (weights, biases) = (_random.Weights(means.Length * 1000, means.Length), _random.Spread(1000, 0.01));
        return [.. biases.Select((bias, label) => bias + means.Select((mean, i) => mean * weights[i * 1000 + label]).Sum())];
    }

    private FeatureMapPlanes Block(FeatureMapPlanes input, int outputs, int stride)
    {
        var shortcut = input.Channels == outputs && stride == 1 ? input : Convolve(input, outputs, kernel: 1, stride);
        var deep = Convolve(Relu(Convolve(input, outputs, kernel: 3, stride)), outputs, kernel: 3, stride: 1);
        return Relu(new FeatureMapPlanes([.. deep.Values.Zip(shortcut.Values, (a, b) => a + b)], outputs, deep.Size));
    }

    private FeatureMapPlanes Convolve(FeatureMapPlanes input, int outputs, int kernel, int stride)
    {
        var fanIn = input.Channels * kernel * kernel;
        var (weights, biases) = (_random.Weights(outputs * fanIn, fanIn), _random.Spread(outputs, 0.01));
        var result = new FeatureMapPlanes(outputs, input.Size / stride);
        for (var output = 0; output < outputs; output++)
        {
            for (var y = 0; y < result.Size; y++)
            {
                for (var x = 0; x < result.Size; x++)
                {
                    var sum = biases[output];
                    for (var w = 0; w < fanIn; w++)
                    {
                        var (channel, row, column) = (w / (kernel * kernel), w / kernel % kernel, w % kernel);
                        sum += weights[output * fanIn + w] * input.At(channel, y * stride + row - kernel / 2, x * stride + column - kernel / 2, outside: 0);
                    }

                    result.Of(output)[y * result.Size + x] = sum;
                }
            }
        }

        return result;
    }

    private static FeatureMapPlanes MaxPool(FeatureMapPlanes input)
    {
        var result = new FeatureMapPlanes(input.Channels, input.Size / 2);
        for (var i = 0; i < result.Values.Length; i++)
        {
            var (channel, y, x) = (i / (result.Size * result.Size), i / result.Size % result.Size * 2, i % result.Size * 2);
            result.Values[i] = Enumerable.Range(0, 9).Max(n => input.At(channel, y + n / 3 - 1, x + n % 3 - 1, outside: float.MinValue));
        }

        return result;
    }

    private static FeatureMapPlanes Relu(FeatureMapPlanes input) => input with { Values = [.. input.Values.Select(value => Math.Max(0, value))] };
}
