using System.Net;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Gateway.Tests;

public sealed class RequestUrgencyTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("Serve-Timeout-Ms", "0", "Serve-Timeout-Ms must be a number of milliseconds above 0, but was '0'.")]
    [InlineData("Serve-Timeout-Ms", "soon", "Serve-Timeout-Ms must be a number of milliseconds above 0, but was 'soon'.")]
    [InlineData("Serve-Timeout-Ms", "-1", "Serve-Timeout-Ms must be a number of milliseconds above 0, but was '-1'.")]
    [InlineData("Serve-Timeout-Ms", "1e3", "Serve-Timeout-Ms must be a number of milliseconds above 0, but was '1e3'.")]
    [InlineData("Serve-Timeout-Ms", "99999999999", "Serve-Timeout-Ms must be a number of milliseconds above 0, but was '99999999999'.")]
    [InlineData("Serve-Priority", "11", "Serve-Priority must be an integer from -10 to 10, but was '11'.")]
    [InlineData("Serve-Priority", "high", "Serve-Priority must be an integer from -10 to 10, but was 'high'.")]
    [InlineData("Serve-Priority", "1.5", "Serve-Priority must be an integer from -10 to 10, but was '1.5'.")]
    [InlineData("Serve-Priority", "", "Serve-Priority must be an integer from -10 to 10, but was ''.")]
    [InlineData("grpc-timeout", "1", "grpc-timeout must be at most 8 digits and a unit (H, M, S, m, u or n), but was '1'.")]
    [InlineData("grpc-timeout", "123456789S", "grpc-timeout must be at most 8 digits and a unit (H, M, S, m, u or n), but was '123456789S'.")]
    [InlineData("grpc-timeout", "1d", "grpc-timeout must be at most 8 digits and a unit (H, M, S, m, u or n), but was '1d'.")]
    public async Task Http_MalformedHeader_IsBadInput(string name, string value, string message)
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("app", "/app", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/app") { Content = new ByteArrayContent([]) };
        request.Headers.TryAddWithoutValidation(name, value);
        if (name == "grpc-timeout")
            request.Content.Headers.ContentType = new("application/grpc");

        using var response = await gateway.Client.SendAsync(request).WaitAsync(Bound);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(message.Replace("'", "\\u0027", StringComparison.Ordinal), (await response.Content.ReadAsStringAsync()).Replace("'", "\\u0027", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "7", null, 7, null)]
    [InlineData("60000", null, null, 0, 60.0)]
    [InlineData("60000", "-3", null, -3, 60.0)]
    [InlineData("60000", null, "10S", 0, 10.0)]
    [InlineData(null, null, "2M", 0, 120.0)]
    [InlineData(null, null, "90000m", 0, 90.0)]
    [InlineData(null, null, null, 0, null)]
    public async Task Http_Headers_ReachReplicasOfThisAndOtherProcesses(string? timeout, string? priority, string? grpc, int expectedPriority, double? expectedSeconds)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        CallUrgency local = default;
        RequestUrgency? remote = null;
        worker.Replica("r2", context =>
        {
            remote = context.Features.Get<RequestUrgency>();
            return Task.CompletedTask;
        });
        await using var gateway = await GatewayTestHost.StartAsync();
        gateway.Remote("r2", worker.Route);
        gateway.Local("r1").Http = context =>
        {
            local = RequestUrgency.Of(context);
            return Task.CompletedTask;
        };
        await gateway.Deploy("near", "/near", "r1").Deploy("far", "/far", "r2").PublishAsync();

        foreach (var path in new[] { "/near", "/far" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent([]) };
            foreach (var (name, value) in new[] { ("Serve-Timeout-Ms", timeout), ("Serve-Priority", priority), ("grpc-timeout", grpc) })
            {
                if (value is not null)
                    request.Headers.Add(name, value);
            }

            // Of a client: only a gateway may send it.
            request.Headers.Add("Serve-Urgency", "9 1");
            if (grpc is not null)
                request.Content.Headers.ContentType = new("application/grpc");
            using var response = await gateway.Client.SendAsync(request).WaitAsync(Bound);
        }

        Assert.Equal((expectedPriority, expectedPriority), (local.Priority, remote?.Value.Priority ?? 0));
        foreach (var seen in new[] { local, remote?.Value ?? default })
        {
            if (expectedSeconds is not { } seconds)
                Assert.Equal(0, seen.Deadline);
            else
                Assert.InRange(seen.RemainingTime(TimeProvider.System)!.Value.TotalSeconds, 0.1 * seconds, seconds);
        }
    }

    [Fact]
    public async Task Http_TimeoutOfTheClient_ReplicaIsCanceledAndTheClientReceives408()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        var canceled = new TaskCompletionSource();
        gateway.Local("r1").Http = async context =>
        {
            context.RequestAborted.Register(canceled.SetResult);
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        await gateway.Deploy("app", "/app", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app");
        request.Headers.Add("Serve-Timeout-Ms", "100");

        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(request).WaitAsync(Bound), HttpStatusCode.RequestTimeout, "timeout");
        await canceled.Task.WaitAsync(Bound);
    }

    [Fact]
    public async Task Http_HigherPriority_LeavesTheQueueFirst()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        var order = new List<string>();
        var release = new SemaphoreSlim(0);
        gateway.Local("r1").Http = async context =>
        {
            await release.WaitAsync();
            lock (order)
                order.Add(context.Request.Headers["Serve-Priority"].ToString());
        };
        await gateway.Deploy("app", "/app", "r1", max: 1).PublishAsync();
        var router = gateway.Table.Current.FindDeployment("Main", "app");
        List<Task> running = [];
        foreach (var (priority, index) in new[] { "0", "-1", "5" }.Select((text, index) => (text, index)))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/app") { Headers = { { "Serve-Priority", priority } } };
            running.Add(gateway.Client.SendAsync(request));
            Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => router.Queued == index && router.Replicas[0].Ongoing == 1, Bound)));
        }

        release.Release(3);
        await Task.WhenAll(running).WaitAsync(Bound);

        Assert.Equal(["0", "5", "-1"], order);
    }
}
