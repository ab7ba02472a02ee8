namespace Serve.CoreBench;

/// <summary>How much is measured.</summary>
/// <param name="IsQuick">A minute instead of four.</param>
internal sealed record BenchmarkScale(bool IsQuick)
{
    /// <summary>How often each contestant gets its turn; medians are quoted.</summary>
    public int Rounds => IsQuick ? 3 : 7;

    public int Of(int count) => IsQuick ? count / 4 : count;
}
