using System.Globalization;
using System.Text.Json;

namespace Serve.Rl.Tests;

public sealed class Pcg64RandomTests
{
    private static readonly JsonElement Golden = GoldenFile.Read("random");

    [Fact]
    public void NextDouble_AnySeed_EqualsNumpy()
    {
        foreach (var seed in Golden.GetProperty("seeds").EnumerateObject())
        {
            var random = new Pcg64Random(ulong.Parse(seed.Name, CultureInfo.InvariantCulture));

            Assert.Equal(seed.Value.Doubles(), Enumerable.Range(0, 5).Select(_ => random.NextDouble()));
        }
    }

    [Fact]
    public void NextInteger_SmallAndLargeBounds_EqualsNumpy()
    {
        long[] bounds = [2, 3, 13, 1000, 1L << 31, (1L << 32) - 1, 1L << 32, 1L << 40, 3, 7, (1L << 62) + 1, 5];
        var random = new Pcg64Random(7);

        Assert.Equal(Golden.GetProperty("integers").EnumerateArray().Select(item => item.GetInt64()), bounds.Select(random.NextInteger));
    }

    [Fact]
    public void Advance_ManyDraws_EqualsNumpy()
    {
        var random = new Pcg64Random(9);

        random.Advance(1_234_567);

        Assert.Equal(Golden.GetProperty("advanced").GetDouble(), random.NextDouble());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    public void Advance_FewDraws_EqualsDrawing(int count)
    {
        var (skipped, drawn) = (new Pcg64Random(3), new Pcg64Random(3));

        skipped.Advance((ulong)count);
        for (var i = 0; i < count; i++)
            drawn.NextUInt64();

        Assert.Equal(drawn.NextUInt64(), skipped.NextUInt64());
    }

    [Fact]
    public void Constructor_NoSeed_DiffersEachTime() => Assert.NotEqual(new Pcg64Random().NextUInt64(), new Pcg64Random().NextUInt64());

    [Fact]
    public void NextInteger_BoundNotPositive_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new Pcg64Random(1).NextInteger(0));

    [Fact]
    public void NextNormalAndNextExponential_ManyDraws_HaveTheirMoments()
    {
        var random = new Pcg64Random(5);
        double[] normal = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextNormal())];
        double[] exponential = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextExponential())];

        Assert.InRange(normal.Average(), -0.02, 0.02);
        Assert.InRange(normal.Average(value => value * value), 0.98, 1.02);
        Assert.InRange(exponential.Average(), 0.98, 1.02);
        Assert.InRange(exponential.Average(value => value * value), 1.9, 2.1);
    }
}
