using System.Runtime.CompilerServices;

namespace Serve.Rl;

/// <summary>
/// Random number generator with the sequence of numpy's <c>default_rng</c>: PCG64 (M. O'Neill, 2014), seeded by numpy's <c>SeedSequence</c>. The same seed yields the same uniform numbers and
/// integers as in Python, and so the same start states as in Gymnasium. Normal and exponential numbers use other methods than numpy and differ. Not thread-safe.
/// </summary>
public sealed class Pcg64Random
{
    private static readonly UInt128 Multiplier = new(0x2360ED051FC65DA4, 0x4385DF649FCCF645);

    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint _spareWord;
    private bool _hasSpareWord;

    /// <summary>Creates a generator with a random seed.</summary>
    public Pcg64Random()
        : this([NextSharedWord(), NextSharedWord(), NextSharedWord(), NextSharedWord()])
    {
    }

    /// <summary>Creates a generator with a seed.</summary>
    public Pcg64Random(ulong seed)
        : this(seed > uint.MaxValue ? [(uint)seed, (uint)(seed >> 32)] : [(uint)seed])
    {
    }

    private Pcg64Random(ReadOnlySpan<uint> entropy)
    {
        Span<ulong> seeds = stackalloc ulong[4];
        SeedSequence.Generate(entropy, seeds);
        _increment = (new UInt128(seeds[2], seeds[3]) << 1) | 1;
        _state = ((_increment + new UInt128(seeds[0], seeds[1])) * Multiplier) + _increment;
    }

    /// <summary>Returns 64 random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong NextUInt64()
    {
        _state = (_state * Multiplier) + _increment;
        return ulong.RotateRight((ulong)(_state >> 64) ^ (ulong)_state, (int)(ulong)(_state >> 122));
    }

    /// <summary>Returns a number from 0 (inclusive) to 1 (exclusive) with 53 random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / 9007199254740992.0);

    /// <summary>Returns a number from <paramref name="low"/> (inclusive) to <paramref name="high"/> (exclusive).</summary>
    public double NextUniform(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Returns an integer from 0 to <paramref name="bound"/> - 1 without bias (D. Lemire, 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is not positive.</exception>
    public long NextInteger(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return bound switch
        {
            1 => 0,
            1L << 32 => NextUInt32(),
            < 1L << 32 => BoundedWord((uint)bound),
            _ => (long)BoundedDoubleWord((ulong)bound),
        };
    }

    /// <summary>Returns a number of the standard normal distribution.</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Returns a number of the exponential distribution with mean 1.</summary>
    public double NextExponential() => -Math.Log(1 - NextDouble());

    /// <summary>Skips a number of 64-bit draws in logarithmic time.</summary>
    public void Advance(ulong count)
    {
        var (factor, offset) = (UInt128.One, UInt128.Zero);
        var (stepFactor, stepOffset) = (Multiplier, _increment);
        for (; count > 0; count >>= 1)
        {
            if ((count & 1) != 0)
            {
                factor *= stepFactor;
                offset = (offset * stepFactor) + stepOffset;
            }

            stepOffset = (stepFactor + 1) * stepOffset;
            stepFactor *= stepFactor;
        }

        _state = (factor * _state) + offset;
        _hasSpareWord = false;
    }

    /// <summary>Fills a span with fair bits in the order of numpy's 8-bit integers.</summary>
    internal void NextBits(Span<bool> bits)
    {
        uint word = 0;
        for (var i = 0; i < bits.Length; i++)
        {
            word = i % 4 == 0 ? NextUInt32() : word >> 8;
            bits[i] = (word & 0x80) != 0;
        }
    }

    private uint NextUInt32()
    {
        if (_hasSpareWord)
        {
            _hasSpareWord = false;
            return _spareWord;
        }

        var next = NextUInt64();
        (_spareWord, _hasSpareWord) = ((uint)(next >> 32), true);
        return (uint)next;
    }

    private uint BoundedWord(uint bound)
    {
        var product = (ulong)NextUInt32() * bound;
        if ((uint)product < bound)
        {
            var threshold = (uint)-bound % bound;
            while ((uint)product < threshold)
                product = (ulong)NextUInt32() * bound;
        }

        return (uint)(product >> 32);
    }

    private ulong BoundedDoubleWord(ulong bound)
    {
        var high = Math.BigMul(NextUInt64(), bound, out var low);
        if (low < bound)
        {
            var threshold = (0 - bound) % bound;
            while (low < threshold)
                high = Math.BigMul(NextUInt64(), bound, out low);
        }

        return high;
    }

    private static uint NextSharedWord() => (uint)System.Random.Shared.NextInt64(1L << 32);

    /// <summary>numpy's <c>SeedSequence</c> with a pool of four words: hashes entropy of any quality into seeds.</summary>
    private static class SeedSequence
    {
        public static void Generate(ReadOnlySpan<uint> entropy, Span<ulong> seeds)
        {
            Span<uint> pool = stackalloc uint[4];
            Mix(entropy, pool);
            var constant = 0x8B51F9DDu;
            for (var i = 0; i < seeds.Length; i++)
                seeds[i] = Next(pool[2 * i % 4], ref constant) | ((ulong)Next(pool[((2 * i) + 1) % 4], ref constant) << 32);

            static uint Next(uint value, ref uint constant)
            {
                value ^= constant;
                constant *= 0x58F38DED;
                value *= constant;
                return value ^ (value >> 16);
            }
        }

        private static void Mix(ReadOnlySpan<uint> entropy, Span<uint> pool)
        {
            var constant = 0x43B0D7E5u;
            for (var i = 0; i < pool.Length; i++)
                pool[i] = Hash(i < entropy.Length ? entropy[i] : 0, ref constant);
            for (var source = 0; source < pool.Length; source++)
            {
                for (var target = 0; target < pool.Length; target++)
                {
                    if (source != target)
                        pool[target] = Combine(pool[target], Hash(pool[source], ref constant));
                }
            }

            static uint Hash(uint value, ref uint constant)
            {
                value ^= constant;
                constant *= 0x931E8875;
                value *= constant;
                return value ^ (value >> 16);
            }

            static uint Combine(uint x, uint y)
            {
                var result = (0xCA01F9DD * x) - (0x4973F715 * y);
                return result ^ (result >> 16);
            }
        }
    }
}
