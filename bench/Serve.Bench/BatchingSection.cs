namespace Serve.Bench;

/// <summary>Batching's own measurements, which run inside a program that has replicas.</summary>
internal static class BatchingSection
{
    public static Task RunAsync(BenchOptions options) => BenchProgramRunner.RunAsync("Serve.BatchBench", options);
}
