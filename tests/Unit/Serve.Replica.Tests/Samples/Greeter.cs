using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Greeter(
    string greeting, Limits limits, Clock clock, IReplicaContext replica, TimeProvider time, IHttpClientFactory http,
    IHostEnvironment environment, IConfiguration configuration, [FromKeyedServices("loud")] Clock loud, int times = 2, DayOfWeek day = default)
{
    public static void ConfigureServices(IServiceCollection services) =>
        services.AddSingleton<Clock>().AddKeyedSingleton("loud", new Clock("LOUD")).AddScoped<Scoped>();

    public object Call() => new
    {
        greeting,
        limits.MaxTokens,
        clock = clock.Name,
        loud = loud.Name,
        times,
        day = day.ToString(),
        replica = replica.ReplicaId.ToString(),
        deployment = replica.DeploymentId.ToString(),
        replica.Rank,
        replica.WorldSize,
        replica.GpuIds,
        environment.ApplicationName,
        environment.EnvironmentName,
        all = time is not null && http is not null && configuration is not null,
    };

    [HttpGet("/scope")]
    public object Scope(Scoped scoped) => new { scoped.Number, clock.Disposed };

    public static Task<string> NotAHook() => Task.FromResult("static");
}

public sealed record Limits(int MaxTokens);

public sealed class Clock(string name)
{
    public Clock()
        : this("tick")
    {
    }

    public string Name => name;

    public int Disposed { get; set; }
}

public sealed class Scoped(Clock clock) : IDisposable
{
    private static int _made;

    public int Number { get; } = ++_made;

    public void Dispose() => clock.Disposed++;
}
