using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Net.Client;
using Serve.Bench.Bare;

namespace Serve.Bench;

/// <summary>Handle calls of a deployment to a replica in its own process and in another worker, compared to a bare gRPC call.</summary>
internal static class HandleCallSection
{
    public static async Task RunAsync(BenchOptions options)
    {
        Console.WriteLine("| call, one after the other | us a call | bytes allocated | against bare gRPC |");
        Console.WriteLine("| --- | --- | --- | --- |");
        await using (var none = BenchContestant.Serve("serve, isolation none", "bench/deployments/Calls.cs", "none"))
        {
            await none.WaitForAsync("/Caller?calls=1", TimeSpan.FromSeconds(60));
            var best = await MeasureAsync(none, 1_000_000, options.Rounds);
            Console.WriteLine($"| handle, replica in the same process | {best.MicrosecondsPerCall:0.000} | {best.BytesPerCall:0} | |");
        }

        await using var replica = BenchContestant.Serve("serve, isolation replica", "bench/deployments/Calls.cs", "replica");
        await using var bare = BenchContestant.DotNet("bare gRPC", BenchContestant.FreePort(), "BareGrpc");
        await replica.WaitForAsync("/Caller?calls=1", TimeSpan.FromSeconds(60));
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{bare.Port}");
        var client = new Bare.Bare.BareClient(channel);
        var ratios = new List<double>();
        var ours = new List<double>();
        var theirs = new List<double>();
        for (var round = -1; round < options.Rounds; round++)
        {
            var plain = await MeasureBareAsync(client, 10_000);
            var handle = (await MeasureAsync(replica, 10_000, 1)).MicrosecondsPerCall;
            if (round < 0)
                continue;
            theirs.Add(plain);
            ours.Add(handle);
            ratios.Add(handle / plain);
        }

        Console.WriteLine($"| bare gRPC unary call | {Middle(theirs):0.0} | | |");
        Console.WriteLine($"| handle, replica in another worker | {Middle(ours):0.0} | | {Middle(ratios):0.00} × |");
    }

    private static double Middle(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task<double> MeasureBareAsync(Bare.Bare.BareClient client, int calls)
    {
        var arguments = ByteString.CopyFromUtf8("[1]");
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
            _ = JsonSerializer.Deserialize<BareCallReply>((await client.CountAsync(new CountRequest { Arguments = arguments })).Result.Span);
        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / calls;
    }

    private static async Task<HandleCallCost> MeasureAsync(BenchContestant contestant, int calls, int rounds)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        HandleCallCost? best = null;
        for (var round = 0; round < rounds; round++)
        {
            var text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{contestant.Port}/Caller?calls={calls}"));
            var figures = JsonSerializer.Deserialize<HandleCallCost>(text, JsonSerializerOptions.Web)!;
            if (best is null || figures.MicrosecondsPerCall < best.MicrosecondsPerCall)
                best = figures;
        }

        return best!;
    }

    private sealed record HandleCallCost(double MicrosecondsPerCall, double BytesPerCall);

    private sealed record BareCallReply(int Count);
}
