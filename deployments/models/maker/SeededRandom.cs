namespace ModelMaker;

/// <summary>
/// Random numbers that are equal on all machines and all versions of .NET, which <see cref="Random"/> does not guarantee. The algorithm is
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
/// </summary>
public sealed class SeededRandom(ulong seed)
{
    private ulong state = seed;

    public ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from <paramref name="low"/> up to but not including <paramref name="high"/>.</summary>
    public double Between(double low, double high) => low + (high - low) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>A whole number from 0 up to but not including <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)Between(0, bound);

    /// <summary>Uniformly distributed numbers from minus <paramref name="bound"/> to <paramref name="bound"/>.</summary>
    public float[] Spread(int count, double bound)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)Between(-bound, bound);
        return values;
    }

    /// <summary>
    /// Uniformly distributed weights that preserve the variance before a ReLU (He et al. 2015). Unlike a normal
    /// distribution, this requires exactly rounded operations only, so that all machines produce the same bits.
    /// </summary>
    public float[] Weights(int count, int fanIn) => Spread(count, Math.Sqrt(6.0 / fanIn));
}
