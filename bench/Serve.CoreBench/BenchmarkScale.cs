namespace Serve.CoreBench;

/// <summary>Extent of the measurements.</summary>
/// <param name="IsQuick">A minute instead of four.</param>
internal sealed record BenchmarkScale(bool IsQuick)
{
    /// <summary>Number of rounds; medians are quoted.</summary>
    public int Rounds => IsQuick ? 3 : 7;

    public int Of(int count) => IsQuick ? count / 4 : count;
}
