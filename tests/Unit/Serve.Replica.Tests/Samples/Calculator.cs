using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Calculator(ILogger<Calculator> log)
{
    public string Call() => "calculator";

    [HttpGet("/square/{x}")]
    public int Square(int x)
    {
        log.LogInformation("squaring {X}", x);
        return x * x;
    }

    [HttpPost("/sum")]
    public object Sum(Numbers body, CancellationToken stop) => new { sum = body.Values.Sum(), stop = stop.CanBeCanceled };

    [HttpGet("/greet"), HttpPost("/greet")]
    public Task<string> Greet([FromQuery] string name, [FromHeader(Name = "X-Tone")] string? tone) => Task.FromResult($"{tone ?? "hello"} {name}");

    [HttpGet("/services")]
    public object Services([FromServices] ILoggerFactory first, IReplicaContext second, HttpContext context, HttpRequest request) => new
    {
        first = first is not null,
        second = second.ReplicaId.ToString(),
        same = ReferenceEquals(context.Request, request),
        path = request.Path.Value,
        pathBase = request.PathBase.Value,
    };

    [HttpGet("/teapot")]
    public IResult Teapot() => TypedResults.Json(new { pot = true }, statusCode: 418);

    [HttpGet("/throw")]
    public int Throw() => throw new InvalidOperationException("the pot is cold");

    [HttpGet("/throw-path")]
    public int ThrowPath() => throw new FileNotFoundException("Could not find file '/tmp/app/labels.txt'.");

    [HttpGet("/overloaded")]
    public Task<int> Overloaded() => throw new OverloadedException("Deployment shop/other is full.", TimeSpan.FromSeconds(3));

    [HttpPost("/form")]
    public string Form([FromForm] string name, IFormFile file) => $"{name} {file.Length}";

    [Route("any"), HttpPut]
    public string Any() => "any";

    [HttpPost]
    public string Root() => "posted";

    public int NotRouted(int x) => x;

    public ValueTask CheckHealth(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}

public sealed record Numbers(int[] Values);
