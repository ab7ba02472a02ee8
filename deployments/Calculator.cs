// HTTP routes as in minimal APIs: `Call` responds at the route prefix, other methods declare their route.
using System.Runtime.CompilerServices;
using Serve;

[Deployment(NumReplicas = 2, MaxOngoingRequests = 32)]
public sealed class Calculator(ILogger<Calculator> log)
{
    [HttpGet("/square/{x}")]
    public int Square(int x) => x * x;

    [HttpPost("/sum")]
    public Result Sum(Numbers body, CancellationToken stop)
    {
        log.LogInformation("summing {Count} numbers", body.Values.Count);
        return new(body.Values.Sum());
    }

    [HttpGet("/tokens")]
    public async IAsyncEnumerable<string> Tokens([FromQuery] int n, [EnumeratorCancellation] CancellationToken stop = default)
    {
        for (var i = 0; i < n; i++)
        {
            await Task.Delay(10, stop);
            yield return $"token {i}";
        }
    }
}

public sealed record Numbers(IReadOnlyList<double> Values);

public sealed record Result(double Sum);
