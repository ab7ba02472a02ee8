namespace Serve.Bench;

/// <summary>Batching's own measurements, which run inside a program that has replicas.</summary>
internal static class BatchSection
{
    public static Task RunAsync(BenchOptions options) => OwnProgram.RunAsync("Serve.BatchBench", options);
}
