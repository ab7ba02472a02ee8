using Serve;

[Deployment]
public sealed class Lab(IReplicaContext replica, ILogger<Lab> log)
{
    private static int cancelled;
    private static int ongoing;
    private int count;
    private string greeting = "none";

    public Tally Call() => new(++count);

    [HttpGet("/pid")]
    public int Pid() => Environment.ProcessId;

    [HttpGet("/who")]
    public string Who() => replica.ReplicaId.Suffix;

    [HttpGet("/version")]
    public string Version() => "one";

    [HttpGet("/slow")]
    public async Task<string> Slow([FromQuery] int ms, CancellationToken stop)
    {
        Interlocked.Increment(ref ongoing);
        try
        {
            await Task.Delay(ms, stop);
            return "slow";
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref cancelled);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref ongoing);
        }
    }

    [HttpGet("/ongoing")]
    public string Ongoing() => $"{Environment.ProcessId} {ongoing}";

    [HttpGet("/cancelled")]
    public int Cancelled() => cancelled;

    [HttpGet("/throw")]
    public string Throw() => throw new InvalidOperationException("lab accident");

    [HttpGet("/failfast")]
    public string FailFast()
    {
        Environment.FailFast("lab on fire");
        return "";
    }

    [HttpGet("/overflow")]
    public int Overflow() => Deeper(1);

    [HttpPost("/sum")]
    public int Sum(Numbers body) => body.Values.Sum();

    [HttpGet("/square/{x}")]
    public int Square(int x) => x * x;

    [HttpGet("/say")]
    public string Say([FromQuery] string text)
    {
        log.LogInformation("said {Text}", text);
        return text;
    }

    [HttpPost("/length")]
    public async Task<long> Length(HttpRequest request)
    {
        long total = 0;
        var buffer = new byte[65536];
        int read;
        while ((read = await request.Body.ReadAsync(buffer)) > 0)
            total += read;
        return total;
    }

    [HttpGet("/tokens")]
    public async IAsyncEnumerable<string> Tokens([FromQuery] int n)
    {
        for (var i = 0; i < n; i++)
        {
            await Task.Yield();
            yield return $"t{i}";
        }
    }

    [HttpGet("/greeting")]
    public string Greeting() => greeting;

    public void Reconfigure(LabConfig config) => greeting = config.Greeting;

    private static int Deeper(int depth) => depth + Deeper(depth + 1) + Deeper(depth + 2);
}

public sealed record Tally(int Count);

public sealed record Numbers(int[] Values);

public sealed record LabConfig(string Greeting);
