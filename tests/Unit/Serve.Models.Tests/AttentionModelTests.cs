using ModelMaker;

namespace Serve.Models.Tests;

public sealed class AttentionModelTests
{
    private const int Width = AttentionModel.Width;

    private readonly AttentionModel _weights = new();
    private readonly SeededRandom _random = new(7);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 9)]
    [InlineData(3, 5)]
    [InlineData(4, 64)]
    public void Committed_BatchesAndLengths_MatchReference(int batch, int sequence)
    {
        var tokens = _random.Spread(batch * sequence * Width, 2);
        var mask = Enumerable.Range(0, batch * sequence).Select(i => i % 4 == 3 ? 0L : 1L).ToArray();
        using var model = OnnxTestSession.Committed("attention");

        using var answer = Run(model, tokens, mask, batch, sequence);

        Assert.Equal([batch, AttentionModel.EmbeddingWidth], answer.Shape("embedding"));
        Assert.Equal([batch, sequence], answer.Shape("attention"));
        for (var item = 0; item < batch; item++)
        {
            var (embedding, attention) = Expected(
                tokens.AsSpan(item * sequence * Width, sequence * Width), mask.AsSpan(item * sequence, sequence));
            AssertClose(embedding, Row(answer.Values<float>("embedding"), item, batch));
            AssertClose(attention, Row(answer.Values<float>("attention"), item, batch));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e6f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Committed_Padding_DoesNotAffectResult(float padding)
    {
        var tokens = _random.Spread(3 * Width, 2);
        using var model = OnnxTestSession.Committed("attention");

        using var bare = Run(model, tokens, [1, 1, 1], 1, 3);
        using var padded = Run(model, [.. tokens, .. Enumerable.Repeat(padding, 5 * Width)], [1, 1, 1, 0, 0, 0, 0, 0], 1, 8);

        AssertClose(bare.Values<float>("embedding"), padded.Values<float>("embedding"));
        AssertClose([.. bare.Values<float>("attention"), 0, 0, 0, 0, 0], padded.Values<float>("attention"));
    }

    [Fact]
    public void Committed_UnmaskedToken_AffectsResult()
    {
        var tokens = _random.Spread(3 * Width, 2);
        using var model = OnnxTestSession.Committed("attention");

        using var two = Run(model, tokens, [1, 1, 0], 1, 3);
        using var three = Run(model, tokens, [1, 1, 1], 1, 3);

        Assert.NotEqual(two.Values<float>("embedding"), three.Values<float>("embedding"));
    }

    [Fact]
    public void Committed_OnlyPadding_ReturnsBiases()
    {
        using var model = OnnxTestSession.Committed("attention");

        using var answer = Run(model, _random.Spread(2 * Width, 2), [0, 0], 1, 2);

        AssertClose([.. _weights.Biases], answer.Values<float>("embedding"));
        Assert.Equal([0f, 0f], answer.Values<float>("attention"));
    }

    private static ModelRunOutputs Run(OnnxTestSession model, float[] tokens, long[] mask, int batch, int sequence) =>
        model.Run(("tokens", OnnxTestSession.Tensor(tokens, batch, sequence, Width)), ("mask", OnnxTestSession.Tensor(mask, batch, sequence)));

    private (float[] Embedding, float[] Attention) Expected(ReadOnlySpan<float> tokens, ReadOnlySpan<long> mask)
    {
        var shares = new double[mask.Length];
        for (var t = 0; t < mask.Length; t++)
        {
            double score = 0;
            for (var i = 0; i < Width; i++)
                score += tokens[t * Width + i] * _weights.Query[i];
            shares[t] = mask[t] == 0 ? 0 : Math.Exp(score);
        }

        var total = shares.Sum();
        var embedding = new float[AttentionModel.EmbeddingWidth];
        for (var o = 0; o < embedding.Length; o++)
        {
            double sum = _weights.Biases[o];
            for (var t = 0; t < mask.Length; t++)
            {
                for (var i = 0; i < Width; i++)
                    sum += shares[t] / total * tokens[t * Width + i] * _weights.Projection[i * embedding.Length + o];
            }

            embedding[o] = (float)sum;
        }

        return (embedding, [.. shares.Select(share => (float)(share / total))]);
    }

    private static float[] Row(float[] values, int row, int rows) => values[(row * values.Length / rows)..((row + 1) * values.Length / rows)];

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (a, b) in expected.Zip(actual))
            Assert.Equal(a, b, 1e-4f);
    }
}
