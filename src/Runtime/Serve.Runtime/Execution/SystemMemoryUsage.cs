namespace Serve.Runtime.Execution;

/// <summary>How much memory there is, and how much of it is in use.</summary>
/// <param name="Used">Bytes that cannot be had back without ending something.</param>
/// <param name="Total">The machine's, or the container's.</param>
public readonly record struct SystemMemoryUsage(long Used, long Total)
{
    public double Share => Total > 0 ? (double)Used / Total : 0;
}
