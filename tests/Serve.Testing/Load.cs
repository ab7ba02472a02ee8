using System.Collections.Concurrent;
using System.Net;

namespace Serve.Testing;

/// <summary>Clients that ask one after the other until told to stop, and remember every answer.</summary>
public sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> failures = new();
    private readonly ConcurrentDictionary<string, int> answers = new();
    private readonly Task[] clients;
    private int count;
    private volatile string last = "";

    public Load(TestNode node, int clients, string path = "/patient") =>
        this.clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => AskAsync(node.Gateway, path)))];

    /// <summary>How many requests were answered with 200.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>What <see cref="Failures"/> has of a request whose answer had begun with 200 and ended before its end.</summary>
    public const string CutShort = "200 cut short";

    /// <summary>What each request that was not answered with 200, to its end, got: its status and reason.</summary>
    public IReadOnlyCollection<string> Failures => failures;

    /// <summary>The different bodies that came with 200.</summary>
    public ICollection<string> Answers => answers.Keys;

    /// <summary>The newest body that came with 200.</summary>
    public string Last => last;

    /// <summary>Waits until so many more have been answered.</summary>
    public Task AnsweredAsync(int more)
    {
        var until = Count + more;
        return Eventually.TrueAsync(() => Task.FromResult(Count >= until), () => $"{more} more answers, but {until - Count} are missing; failed: {string.Join(", ", failures.Take(5))}");
    }

    /// <summary>Lets every client have its last answer.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private async Task AskAsync(HttpClient client, string path)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var response = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    if (await ReadAsync(response) is { } whole)
                    {
                        last = whole;
                        answers.TryAdd(last, 0);
                        Interlocked.Increment(ref count);
                    }
                    else
                    {
                        failures.Enqueue(CutShort);
                    }
                }
                else
                {
                    failures.Enqueue($"{(int)response.StatusCode} {await Problem.ReasonAsync(response)}");
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                failures.Enqueue(e.Message);
            }
        }
    }

    /// <summary>The body; null when the connection has ended before it.</summary>
    private static async Task<string?> ReadAsync(HttpResponseMessage response)
    {
        try
        {
            return await response.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            return null;
        }
    }
}
