using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpFailureTests
{
    [Fact]
    public async Task Method_Throws_IsAUserExceptionAndTheReplicaLives()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator));

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/throw");

        Assert.Equal(500, status);
        Assert.Equal("user_exception", (string)body!["reason"]!);
        Assert.Equal("the pot is cold", (string)body["detail"]!);
        Assert.Equal("System.InvalidOperationException", (string)body["exceptionType"]!);
        Assert.Null(body["stack"]);
        Assert.Equal("9", await replica.GetAsync("/square/3"));
        Assert.Equal(0, replica.Context.Gate.Ongoing);
        Assert.Contains("GET /app/throw failed", replica.Log, StringComparison.Ordinal);
        Assert.Contains("the pot is cold", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Method_ThrowsWithFilePath_ClientReceivesNameAndLogHasPath()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator));

        var (_, body) = await replica.SendAsync(HttpMethod.Get, "/throw-path");

        Assert.Equal("Could not find file 'labels.txt'.", (string)body!["detail"]!);
        Assert.Contains("'/tmp/app/labels.txt'", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Method_ThrowsInDevelopment_TellsTheStack()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator), new() { Environment = "Development" });

        var (_, body) = await replica.SendAsync(HttpMethod.Get, "/throw");

        Assert.Contains("at Serve.Replica.Tests.Samples.Calculator.Throw()", (string)body!["stack"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Method_PlatformErrorFromAHandle_KeepsItsReason()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator));

        using var response = await replica.Client.GetAsync("/app/overloaded");

        Assert.Equal(503, (int)response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter!.Delta);
        Assert.Contains("\"overloaded\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_Disconnects_CancelsTheMethodAndIsNoError()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Turns), new() { Args = new() { ["key"] = nameof(Client_Disconnects_CancelsTheMethodAndIsNoError) } });
        using var stop = new CancellationTokenSource();
        var request = replica.Client.GetAsync("/app/wait", stop.Token);
        await TestSignals.WaitAsync($"{nameof(Client_Disconnects_CancelsTheMethodAndIsNoError)}-waiting");

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await TestSignals.WaitAsync($"{nameof(Client_Disconnects_CancelsTheMethodAndIsNoError)}-cancelled");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
        Assert.DoesNotContain("failed", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_TakesTooLong_EndsWhatIsOngoing()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Turns), new() { Args = new() { ["key"] = nameof(Drain_TakesTooLong_EndsWhatIsOngoing) } });
        var request = replica.Client.GetAsync("/app/wait");
        await TestSignals.WaitAsync($"{nameof(Drain_TakesTooLong_EndsWhatIsOngoing)}-waiting");

        replica.Abort();

        await Assert.ThrowsAsync<HttpRequestException>(() => request);
        await TestSignals.WaitAsync($"{nameof(Drain_TakesTooLong_EndsWhatIsOngoing)}-cancelled");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
    }
}
