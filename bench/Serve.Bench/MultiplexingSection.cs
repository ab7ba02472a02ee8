using System.Diagnostics;
using System.Globalization;

namespace Serve.Bench;

/// <summary>
/// Requests for 20 models with 3 slots by Zipf's law over HTTP, compared to an ideal LRU: a single cache with all slots that sees all requests in the order in
/// which they were sent.
/// </summary>
internal static class MultiplexingSection
{
    private const int Models = 20;

    public static async Task RunAsync(BenchOptions options)
    {
        Console.WriteLine("| places | connections | requests | loads | loads a request | ideal LRU | against it | requests/s |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (file, what) in (IEnumerable<(string, string)>)[("ModelsOne", "1 replica × 3"), ("ModelsThree", "3 replicas × 1")])
        {
            await using var serve = BenchContestant.Serve(file, $"bench/deployments/{file}.cs", "none");
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{serve.Port}/{file}") };
            await ReadyAsync(http);
            foreach (var connections in (int[])[1, 2, 8])
                await MeasureAsync(http, what, connections, options.Rounds * 4000);
        }
    }

    private static async Task MeasureAsync(HttpClient http, string what, int connections, int requests)
    {
        // Earlier loads are not counted.
        foreach (var model in (string[])["w1", "w2", "w3"])
            await AskAsync(http, model);
        var before = await AskAsync(http, "w3");
        var ideal = new List<string> { "w1", "w2", "w3" };
        var idealLoads = 0;
        var random = new Random(7);
        var gate = new Lock();
        var sent = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                Task<int> answer;
                lock (gate)
                {
                    if (sent++ >= requests)
                        return;
                    var model = $"m{Zipf(random)}";
                    if (!ideal.Remove(model))
                    {
                        idealLoads++;
                        ideal.RemoveAt(0);
                    }

                    ideal.Add(model);
                    answer = AskAsync(http, model);
                }

                await answer;
            }
        })));
        var took = Stopwatch.GetElapsedTime(started);
        // The request that reads the number of loads causes no load, because its model is loaded.
        await AskAsync(http, "w3");
        var loads = await AskAsync(http, "w3") - before - 1;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {what} | {connections} | {requests} | {loads} | {(double)loads / requests:0.0000} | {(double)idealLoads / requests:0.0000} | {(double)loads / idealLoads:0.000} × | {requests / took.TotalSeconds:0} |"));
    }

    private static int Zipf(Random random)
    {
        // Exponent 1: the n-th model is requested 1/n times as often as the first.
        var point = random.NextDouble() * Enumerable.Range(1, Models).Sum(rank => 1.0 / rank);
        var rank = 1;
        while (rank < Models && (point -= 1.0 / rank) > 0)
            rank++;
        return rank;
    }

    private static async Task<int> AskAsync(HttpClient http, string model)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, (Uri?)null);
        request.Headers.Add("serve_multiplexed_model_id", model);
        using var response = await http.SendAsync(request);
        return int.Parse(await response.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
    }

    private static async Task ReadyAsync(HttpClient http)
    {
        var started = Stopwatch.GetTimestamp();
        // Waits until the gateway is ready and has received model reports; before that, requests are not routed by model.
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(2))
        {
            try
            {
                var model = $"ready{Stopwatch.GetTimestamp()}";
                var first = await AskAsync(http, model);
                var last = first;
                for (var i = 0; i < 10; i++)
                    last = await AskAsync(http, model);
                if (last == first)
                    return;
            }
            catch (Exception notYet) when (notYet is HttpRequestException or FormatException)
            {
                await Task.Delay(50);
            }
        }

        throw new TimeoutException("The deployment was not ready within two minutes.");
    }
}
