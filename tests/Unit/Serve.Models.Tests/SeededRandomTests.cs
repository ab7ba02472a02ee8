using ModelMaker;

namespace Serve.Models.Tests;

public sealed class SeededRandomTests
{
    // The first numbers of the algorithm's published reference code for this seed.
    [Fact]
    public void Next_KnownSeed_MatchesReferenceSequence()
    {
        var random = new SeededRandom(1234567);

        Assert.Equal(
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
            Enumerable.Range(0, 5).Select(_ => random.Next()));
    }

    [Fact]
    public void Weights_ManySamples_HaveHeVariance()
    {
        var weights = new SeededRandom(1).Weights(100_000, fanIn: 50);

        Assert.InRange(weights.Average(), -0.005, 0.005);
        Assert.InRange(weights.Average(weight => weight * weight), 2.0 / 50 * 0.98, 2.0 / 50 * 1.02);
    }
}
