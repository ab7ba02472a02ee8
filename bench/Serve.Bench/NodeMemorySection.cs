using System.Globalization;

namespace Serve.Bench;

/// <summary>Resident memory of a node and its workers with one application, after one request and ten idle seconds.</summary>
internal static class NodeMemorySection
{
    public static async Task RunAsync(BenchOptions options)
    {
        Console.WriteLine("| isolation | processes | resident MB |");
        Console.WriteLine("| --- | --- | --- |");
        foreach (var isolation in new[] { "none", "application" })
        {
            await using var serve = BenchContestant.Serve("serve", "deployments/Counter.cs", isolation);
            await serve.WaitForAsync("/Counter", TimeSpan.FromSeconds(60));
            await Task.Delay(TimeSpan.FromSeconds(10));
            int[] processes = [serve.ProcessId, .. ChildProcessFinder.ChildrenOf(serve.ProcessId)];
            var megabytes = processes.Select(ResidentMegabytes).ToArray();
            Console.WriteLine($"| {isolation} | {processes.Length} | {string.Join(" + ", megabytes.Select(size => size.ToString("0", CultureInfo.InvariantCulture)))} |");
        }
    }

    private static double ResidentMegabytes(int processId) => File.ReadLines($"/proc/{processId}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024)
        .Single();
}
