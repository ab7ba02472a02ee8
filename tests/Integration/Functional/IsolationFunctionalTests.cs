using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Requests and calls have the same results in each isolation mode.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class IsolationFunctionalTests(SamplePackageFixture packages)
{
    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Requests_EachIsolation_SameResults(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Lab);

        Assert.Equal("""{"count":1}""", await node.Gateway.GetStringAsync("/lab"));
        Assert.Equal("""{"count":2}""", await (await node.Gateway.PostAsync("/lab", null)).Content.ReadAsStringAsync());
        Assert.Equal("49", await node.Gateway.GetStringAsync("/lab/square/7"));
        Assert.Equal("6", await (await node.Gateway.PostAsJsonAsync("/lab/sum", new { values = new[] { 1, 2, 3 } })).Content.ReadAsStringAsync());
        Assert.Equal("""["t0","t1","t2"]""", await node.Gateway.GetStringAsync("/lab/tokens?n=3"));
        using var large = new ByteArrayContent(new byte[3_000_000]);
        Assert.Equal("3000000", await (await node.Gateway.PostAsync("/lab/length", large)).Content.ReadAsStringAsync());

        await AssertProblemAsync(await node.Gateway.GetAsync("/lab/throw"), HttpStatusCode.InternalServerError, "user_exception", "lab accident");
        await AssertProblemAsync(await node.Gateway.GetAsync("/nowhere"), HttpStatusCode.NotFound, "no_such_route", "");
        await AssertProblemAsync(await node.Gateway.GetAsync("/lab/square/seven"), HttpStatusCode.BadRequest, "bad_input", "");
        using var malformed = new StringContent("{\"values\":[1,", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        await AssertProblemAsync(await node.Gateway.PostAsync("/lab/sum", malformed), HttpStatusCode.BadRequest, "bad_input", "");

        // The exception did not stop the replica, and handle calls continue the count of the HTTP requests.
        await using var serve = await node.ConnectAsync();
        Assert.Equal(3, (await serve.GetHandle("Lab").Remote<LabCountReply>()).Count);
        Assert.Equal("""{"count":4}""", await node.Gateway.GetStringAsync("/lab"));
        Assert.Equal(81, await serve.GetHandle("Lab").Method("Square").Remote<int>(9));

        var pid = int.Parse(await node.Gateway.GetStringAsync("/lab/pid"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(isolation == IsolationMode.None, pid == node.Process.Id);
        Assert.Equal(isolation == IsolationMode.None ? [] : [pid], await node.GetWorkerPidsAsync());
    }

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Client_Disconnects_CancelsToken(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Lab);

        using var leave = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Gateway.GetAsync("/lab/slow?ms=60000", leave.Token));

        await Eventually.TrueAsync(
            async () => await node.Gateway.GetStringAsync("/lab/cancelled") == "1", () => "the method's token fired", TimeSpan.FromSeconds(5));
    }

    internal static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string reason, string detail)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(text);
        Assert.Equal(reason, problem.RootElement.GetProperty("reason").GetString());
        Assert.Contains(detail, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private sealed record LabCountReply(int Count);
}
