using System.Diagnostics;
using System.Globalization;

namespace Serve.CoreBench;

/// <summary>Collects the rows of the table and prints it.</summary>
internal sealed class BenchmarkReport(string? only)
{
    private readonly List<string[]> _rows = [];
    private int _missed;

    /// <summary>Runs one group of rows; an exception becomes a row.</summary>
    public async Task RunAsync(string group, Func<Task> measure)
    {
        if (only is not null && only != group)
            return;
        var began = Stopwatch.GetTimestamp();
        try
        {
            await measure();
        }
        catch (Exception failure)
        {
            _missed++;
            _rows.Add([group, "", $"failed: {failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")}", "", "", "NO"]);
            Console.Error.WriteLine(failure);
        }

        Console.Error.WriteLine($"{group}: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    public void Add(string figure, string goal, string ours, bool isMet, string peer = "", string ratio = "")
    {
        if (!isMet)
            _missed++;
        _rows.Add([figure, goal, ours, peer, ratio, isMet ? "yes" : "NO"]);
        Console.Error.WriteLine($"  {figure}: {ours} (goal {goal}){(peer.Length > 0 ? $"; {peer}" : "")}");
    }

    public int Print()
    {
        Console.WriteLine("| figure | goal | measured | peers | against the peer | reached |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach (var row in _rows)
            Console.WriteLine($"| {string.Join(" | ", row)} |");
        return _missed == 0 ? 0 : 1;
    }

    public static string Rate(double perSecond) => $"{Number(perSecond)}/s";

    public static string Number(double value) => value.ToString(value >= 100 ? "#,0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    public static string Times(double ratio) => $"{Number(ratio)} ×";

    /// <summary>The quantile of a list of values.</summary>
    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)(share * (sorted.Length - 1))];
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
