using System.Diagnostics;
using System.Text.Json;
using Serve.Runtime.Serialization;

namespace Serve.CoreBench;

/// <summary>Serialization of values for worker processes, against System.Text.Json with the options that deployments use and with fields.</summary>
internal static class ValueCodecRows
{
    private static readonly JsonSerializerOptions Json = new(ServeJson.Calls) { IncludeFields = true, MaxDepth = 256 };

    public static Task RunAsync(BenchmarkScale scale, BenchmarkReport report)
    {
        var codec = new ObjectValueCodec([]);
        Measure(scale, report, codec, "a record of three members", new Order("name", 17, 2.5), repeats: 100_000);
        Measure(scale, report, codec, "a list of 1,000 records", Enumerable.Range(0, 1000).Select(index => new Order($"order {index}", index, index / 2.0)).ToList(), repeats: 300);
        Measure(scale, report, codec, "a dictionary of 20 arrays of 500 numbers", Enumerable.Range(0, 20).ToDictionary(index => $"column {index}", _ => new double[500]), repeats: 300);
        Measure(scale, report, codec, "a tree of 100 objects", Branch.Create(100), repeats: 3000);
        return Task.CompletedTask;
    }

    private static void Measure<T>(BenchmarkScale scale, BenchmarkReport report, ObjectValueCodec codec, string name, T value, int repeats)
    {
        var count = scale.Of(repeats);
        var (graphs, json) = (new double[scale.Rounds], new double[scale.Rounds]);
        for (var round = -2; round < scale.Rounds; round++)
        {
            var graph = Time(count, () => codec.Decode(codec.Encode(typeof(T), value, "the value"), typeof(T)));
            var text = Time(count, () => JsonSerializer.Deserialize<T>(JsonSerializer.SerializeToUtf8Bytes(value, Json), Json));
            if (round >= 0)
                (graphs[round], json[round]) = (graph, text);
        }

        var ratio = InterleavedRounds.Ratio(graphs, json);
        var bytes = codec.Encode(typeof(T), value, "the value").Size;
        report.Add($"encoding and decoding {name}", "≤ 1 × JSON", $"{BenchmarkReport.Number(BenchmarkReport.Median(graphs) * 1e9 / count)} ns, {bytes:N0} bytes", ratio <= 1,
            $"System.Text.Json: {BenchmarkReport.Number(BenchmarkReport.Median(json) * 1e9 / count)} ns, {JsonSerializer.SerializeToUtf8Bytes(value, Json).Length:N0} bytes", BenchmarkReport.Times(ratio));
    }

    private static double Time(int count, Func<object?> once)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            once();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private sealed record Order(string Name, int Number, double Price);

    private sealed record Branch(string Name, List<Branch> Children)
    {
        public static Branch Create(int count)
        {
            var all = new List<Branch> { new("root", []) };
            for (var index = 1; index < count; index++)
            {
                var made = new Branch($"branch {index}", []);
                all[(index - 1) / 3].Children.Add(made);
                all.Add(made);
            }

            return all[0];
        }
    }
}
