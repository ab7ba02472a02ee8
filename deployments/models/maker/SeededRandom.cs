namespace ModelMaker;

/// <summary>
/// Random numbers that are the same on every machine and every version of .NET, which <see cref="Random"/> does not promise. The generator is
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

    /// <summary>Numbers spread evenly from minus <paramref name="bound"/> to <paramref name="bound"/>.</summary>
    public float[] Spread(int count, double bound)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)Between(-bound, bound);
        return values;
    }

    /// <summary>
    /// Weights of a layer that keeps the size of what passes through it before a ReLU (He et al. 2015), drawn evenly: unlike a normal
    /// distribution, that needs nothing but exactly rounded operations, so that every machine gets the same bits.
    /// </summary>
    public float[] Weights(int count, int fanIn) => Spread(count, Math.Sqrt(6.0 / fanIn));
}
