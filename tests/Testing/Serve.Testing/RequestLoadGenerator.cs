using System.Collections.Concurrent;
using System.Net;

namespace Serve.Testing;

/// <summary>Clients that ask one after the other until told to stop, and remember every answer.</summary>
public sealed class RequestLoadGenerator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly Task[] _clients;
    private int _count;
    private volatile string _last = "";

    public RequestLoadGenerator(TestNodeProcess node, int clients, string path = "/patient") =>
        this._clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => SendRequestsAsync(node.Gateway, path)))];

    /// <summary>How many requests were answered with 200.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>What <see cref="Failures"/> has of a request whose answer had begun with 200 and ended before its end.</summary>
    public const string TruncatedResponse = "200 cut short";

    /// <summary>What each request that was not answered with 200, to its end, got: its status and reason.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>The different bodies that came with 200.</summary>
    public ICollection<string> Answers => _answers.Keys;

    /// <summary>The newest body that came with 200.</summary>
    public string Last => _last;

    /// <summary>Waits until so many more have been answered.</summary>
    public Task WaitForAnswersAsync(int more)
    {
        var until = Count + more;
        return Eventually.TrueAsync(() => Task.FromResult(Count >= until), () => $"{more} more answers, but {until - Count} are missing; failed: {string.Join(", ", _failures.Take(5))}");
    }

    /// <summary>Lets every client have its last answer.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task SendRequestsAsync(HttpClient client, string path)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var response = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    if (await ReadAsync(response) is { } whole)
                    {
                        _last = whole;
                        _answers.TryAdd(_last, 0);
                        Interlocked.Increment(ref _count);
                    }
                    else
                    {
                        _failures.Enqueue(TruncatedResponse);
                    }
                }
                else
                {
                    _failures.Enqueue($"{(int)response.StatusCode} {await ProblemDetailsReader.ReasonAsync(response)}");
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                _failures.Enqueue(e.Message);
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
