namespace Serve.Dashboard.Sampling;

/// <summary>The newest samples of one row of a table, at equal steps. Steps without a sample are NaN. Not thread-safe.</summary>
/// <param name="columns">Number of values of a sample.</param>
/// <param name="length">Number of steps.</param>
internal sealed class SampleRing(int columns, int length)
{
    private readonly float[] _values = NewValues(columns * length);
    private long _newest = long.MinValue;

    /// <summary>Size of the samples in bytes.</summary>
    public int Bytes => _values.Length * sizeof(float);

    /// <summary>The step of the newest sample.</summary>
    public long Newest => _newest;

    /// <summary>Stores the sample of a step, and replaces an earlier one of the same step.</summary>
    /// <param name="step">The step; at least that of the newest sample.</param>
    /// <param name="sample">The values.</param>
    public void Set(long step, ReadOnlySpan<float> sample)
    {
        var first = Math.Max(_newest + 1, step - length + 1);
        for (var gap = first; gap < step; gap++)
            Slot(gap).Fill(float.NaN);
        sample.CopyTo(Slot(step));
        _newest = step;
    }

    /// <summary>Returns the values of a column, oldest first.</summary>
    /// <param name="column">Its index.</param>
    /// <param name="end">The last step.</param>
    public float[] Read(int column, long end)
    {
        var result = new float[length];
        for (var index = 0; index < length; index++)
        {
            var step = end - length + 1 + index;
            result[index] = step > _newest || step <= _newest - length ? float.NaN : Slot(step)[column];
        }

        return result;
    }

    private Span<float> Slot(long step) => _values.AsSpan((int)(((step % length) + length) % length) * columns, columns);

    private static float[] NewValues(int count)
    {
        var values = new float[count];
        Array.Fill(values, float.NaN);
        return values;
    }
}
