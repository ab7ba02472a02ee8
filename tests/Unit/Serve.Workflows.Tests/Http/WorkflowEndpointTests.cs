using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Workflows.Http;

namespace Serve.Workflows.Tests.Http;

/// <summary>The endpoints over real HTTP.</summary>
public sealed class WorkflowEndpointTests
{
    [Fact]
    public async Task Events_OverHttp_AreDurableBefore202AndDroppedWhenRepeated()
    {
        await using var fixture = await WorkflowFixture.Start();
        await using var application = await StartServer(fixture.Host);
        using var client = new HttpClient { BaseAddress = new(application.Urls.Single()) };
        var handle = await fixture.Host.SumOfEvents.Start(3, new() { Id = "http" });

        Assert.Equal(HttpStatusCode.Accepted, await Post("/api/workflows/http/events/number", "5", "a"));
        Assert.Equal(HttpStatusCode.Accepted, await Post("/api/workflows/http/events/number", "5", "a"));
        Assert.Equal(HttpStatusCode.Accepted, await Post("/event/send_event/http", """{"event_key":"number","event_payload":10}"""));
        Assert.Equal(HttpStatusCode.BadRequest, await Post("/event/send_event/http", "{}"));
        Assert.Equal(HttpStatusCode.BadRequest, await Post("/api/workflows/http/events/number", "\"text\""));
        Assert.Equal(HttpStatusCode.BadRequest, await Post("/api/workflows/http/events/number", "{ no json"));
        Assert.Equal(HttpStatusCode.NotFound, await Post("/api/workflows/nothing/events/number", "5"));
        Assert.Equal(HttpStatusCode.Accepted, await Post("/api/workflows/http/events/number", "27"));
        Assert.Equal(42, await handle.GetResult().SoonAsync());
        Assert.Equal(HttpStatusCode.Conflict, await Post("/api/workflows/http/events/number", "5"));

        var info = await client.GetFromJsonAsync<JsonElement>("/api/workflows/http");
        Assert.Equal("SUCCESSFUL", info.GetProperty("status").GetString());
        Assert.Equal(3, (await client.GetFromJsonAsync<JsonElement>("/api/workflows/http/history")).GetArrayLength());
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/workflows?status=Successful")).GetArrayLength());

        async Task<HttpStatusCode> Post(string path, string body, string? key = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
            if (key is not null)
                request.Headers.Add("Idempotency-Key", key);
            using var response = await client.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task SignalsQueriesAndCancel_OverHttp_ReachTheWorkflow()
    {
        await using var fixture = await WorkflowFixture.Start();
        await using var application = await StartServer(fixture.Host);
        using var client = new HttpClient { BaseAddress = new(application.Urls.Single()) };
        var handle = await fixture.Host.Doorman.Start(2, new() { Id = "door-http" });

        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/api/workflows/door-http/signals/Enter", new StringContent("""["ann"]"""))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/api/workflows/door-http/signals/Enter", new StringContent("[1]"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/api/workflows/door-http/signals/Leave", new StringContent("[]"))).StatusCode);
        Assert.Equal("1", await client.GetStringAsync("/api/workflows/door-http/queries/Count"));
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/api/workflows/door-http/cancel?reason=closed", null)).StatusCode);

        Assert.Contains("closed", (await Assert.ThrowsAsync<WorkflowCanceledException>(() => handle.GetResult().SoonAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartOutputResumeAndDelete_OverHttp_Succeed()
    {
        await using var fixture = await WorkflowFixture.Start();
        await using var application = await StartServer(fixture.Host);
        using var client = new HttpClient { BaseAddress = new(application.Urls.Single()) };

        Assert.Equal(HttpStatusCode.Created, await Post("/api/workflows", """{"name":"SumOfEvents","arguments":[1],"id":"one","metadata":{"user":"ann"}}"""));
        Assert.Equal(HttpStatusCode.BadRequest, await Post("/api/workflows", """{"name":"SumOfEvents","arguments":["1"]}"""));
        Assert.Equal(HttpStatusCode.BadRequest, await Post("/api/workflows", "[]"));
        Assert.Equal(HttpStatusCode.NotFound, await Post("/api/workflows", """{"name":"Nothing"}"""));
        Assert.Equal(HttpStatusCode.Accepted, (await client.GetAsync("/api/workflows/one/output")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, await Post("/api/workflows/one/resume", ""));
        Assert.Equal(HttpStatusCode.Conflict, (await client.DeleteAsync("/api/workflows/one")).StatusCode);

        Assert.Equal(HttpStatusCode.Accepted, await Post("/api/workflows/one/events/number", "7"));

        Assert.Equal("7", await client.GetStringAsync("/api/workflows/one/output?wait_s=30"));
        Assert.Equal(1, (await client.GetFromJsonAsync<JsonElement>("/api/workflows?metadata.user=ann&limit=1")).GetArrayLength());
        Assert.Equal(0, (await client.GetFromJsonAsync<JsonElement>("/api/workflows?after=one")).GetArrayLength());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/api/workflows?limit=0")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.DeleteAsync("/api/workflows/one")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/workflows/one/output")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/workflows/one/odd/path")).StatusCode);

        async Task<HttpStatusCode> Post(string path, string body)
        {
            using var response = await client.PostAsync(path, new StringContent(body));
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("""{"yes":true,"by":"bob"}""", HttpStatusCode.Accepted)]
    [InlineData("""{"Yes":true,"By":"bob"}""", HttpStatusCode.Accepted)]
    [InlineData("""{"yes":true,"bx":"bob"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"by":"bob"}""", HttpStatusCode.BadRequest)]
    public async Task Events_MembersFromOutside_AreNeverIgnored(string json, HttpStatusCode status)
    {
        await using var fixture = await WorkflowFixture.Start();
        await using var application = await StartServer(fixture.Host);
        using var client = new HttpClient { BaseAddress = new(application.Urls.Single()) };
        var handle = await fixture.Host.Approver.Start(new() { Id = "approver" });

        using var response = await client.PostAsync("/api/workflows/approver/events/decision", new StringContent(json));

        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Accepted)
            Assert.Equal("True bob", await handle.GetResult().SoonAsync());
    }

    private static async Task<WebApplication> StartServer(WorkflowHost host)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        application.MapWorkflows(host);
        await application.StartAsync();
        return application;
    }
}
