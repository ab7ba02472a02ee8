namespace Serve.Bench;

/// <summary>Core's own measurements, which run inside a program that uses it.</summary>
internal static class CoreSection
{
    public static async Task RunAsync(BenchOptions options)
    {
        if (await BenchProgramRunner.RunAsync("Serve.CoreBench", options) != 0)
            Console.WriteLine($"{Environment.NewLine}Not every goal was reached.");
    }
}
