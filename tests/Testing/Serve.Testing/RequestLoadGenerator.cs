using System.Collections.Concurrent;
using System.Net;

namespace Serve.Testing;

/// <summary>Clients that send sequential requests until they are stopped, and record all responses.</summary>
public sealed class RequestLoadGenerator : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly Task[] _clients;
    private int _count;
    private volatile string _last = "";

    public RequestLoadGenerator(TestNodeProcess node, int clients, string path = "/patient")
        : this(node.Gateway, clients, path)
    {
    }

    public RequestLoadGenerator(HttpClient gateway, int clients, string path) =>
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(() => SendRequestsAsync(gateway, path)))];

    /// <summary>Number of responses with status 200.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Entry in <see cref="Failures"/> for a response with status 200 whose body was truncated.</summary>
    public const string TruncatedResponse = "200 cut short";

    /// <summary>Status and reason of each request without a complete response with status 200.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Distinct bodies of responses with status 200.</summary>
    public ICollection<string> Answers => _answers.Keys;

    /// <summary>Body of the most recent response with status 200.</summary>
    public string Last => _last;

    /// <summary>Waits for further responses with status 200.</summary>
    public Task WaitForAnswersAsync(int more)
    {
        var until = Count + more;
        return Eventually.TrueAsync(() => Task.FromResult(Count >= until), () => $"{more} more answers, but {until - Count} are missing; failed: {string.Join(", ", _failures.Take(5))}");
    }

    /// <summary>Stops all clients after their current request.</summary>
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

    /// <summary>Reads the body; null if the connection was closed before its end.</summary>
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
