namespace Serve.Bench;

/// <summary>The models' own measurements, which run inside a program that has them.</summary>
internal static class OnnxSection
{
    public static Task RunAsync(BenchOptions options) => BenchProgramRunner.RunAsync("Serve.OnnxBench", options);
}
