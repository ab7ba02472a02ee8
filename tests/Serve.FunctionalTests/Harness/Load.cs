using System.Collections.Concurrent;

namespace Serve.FunctionalTests.Harness;

/// <summary>A few clients that ask one after the other and remember whatever is not 200.</summary>
internal sealed class Load : IAsyncDisposable
{
    private const int Clients = 4;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> failures = new();
    private readonly Task[] clients;
    private int count;
    private volatile string last = "";

    private Load(HttpClient http, string path) => clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => AskAsync(http, path)))];

    public int Count => Volatile.Read(ref count);

    public string Last => last;

    public static Load Start(HttpClient http, string path) => new(http, path);

    public Task AtLeastAsync(int requests) => Eventually.TrueAsync(() => Count >= requests, $"{requests} requests");

    /// <summary>Ends the clients; what they have begun is finished.</summary>
    public async Task<IReadOnlyCollection<string>> StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        return failures;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private async Task AskAsync(HttpClient http, string path)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var response = await http.GetAsync(path);
                last = await response.Content.ReadAsStringAsync();
                if (!response.IsSuccessStatusCode)
                    failures.Enqueue($"{(int)response.StatusCode} {last}");
            }
            catch (HttpRequestException e)
            {
                failures.Enqueue(e.ToString());
            }

            Interlocked.Increment(ref count);
        }
    }
}
