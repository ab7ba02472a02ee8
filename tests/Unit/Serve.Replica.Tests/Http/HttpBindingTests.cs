using System.Net.Http.Json;
using System.Text;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpBindingTests : IAsyncLifetime
{
    private ReplicaTestHost _replica = null!;

    public async Task InitializeAsync() => _replica = await ReplicaTestHost.StartAsync(typeof(Calculator));

    public async Task DisposeAsync() => await _replica.DisposeAsync();

    [Fact]
    public async Task Method_RouteValue_IsBound() => Assert.Equal("49", await _replica.GetAsync("/square/7"));

    [Fact]
    public async Task Method_JsonBodyAndToken_AreBound()
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Post, "/sum", JsonContent.Create(new { values = new[] { 1, 2, 3 } }));

        Assert.Equal(200, status);
        Assert.Equal("""{"sum":6,"stop":true}""", body!.ToJsonString());
    }

    [Fact]
    public async Task Method_QueryAndHeader_AreBound()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/greet?name=Ada");
        request.Headers.Add("X-Tone", "dear");
        using var response = await _replica.Client.SendAsync(request);

        Assert.Equal("dear Ada", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Method_SeveralVerbs_AnswersEach()
    {
        using var response = await _replica.Client.PostAsync("/app/greet?name=Ada", null);

        Assert.Equal("hello Ada", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Method_ServicesAndContext_AreTheReplicasOwn()
    {
        Assert.Equal(
            """{"first":true,"second":"shop#Calculator#r1","same":true,"path":"/services","pathBase":"/app"}""",
            await _replica.GetAsync("/services"));
    }

    [Fact]
    public async Task Method_ReturnsAResult_IsExecuted()
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Get, "/teapot");

        Assert.Equal(418, status);
        Assert.Equal("""{"pot":true}""", body!.ToJsonString());
    }

    [Fact]
    public async Task Method_Form_IsBoundWithoutAntiforgery()
    {
        using var form = new MultipartFormDataContent { { new StringContent("Ada"), "name" }, { new ByteArrayContent(new byte[5]), "file", "a.bin" } };
        using var response = await _replica.Client.PostAsync("/app/form", form);

        Assert.Equal("Ada 5", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Method_RouteAndVerbApart_MeanTheSameAsTogether()
    {
        using var put = await _replica.Client.PutAsync("/app/any", null);
        using var get = await _replica.Client.GetAsync("/app/any");

        Assert.Equal("any", await put.Content.ReadAsStringAsync());
        Assert.Equal(405, (int)get.StatusCode);
    }

    [Fact]
    public async Task Method_VerbWithoutTemplate_AnswersAtThePrefixBeforeCall()
    {
        using var posted = await _replica.Client.PostAsync("/app", null);

        Assert.Equal("posted", await posted.Content.ReadAsStringAsync());
        Assert.Equal("calculator", await _replica.GetAsync());
    }

    [Theory]
    [InlineData("/CheckHealth")]
    [InlineData("/NotRouted?x=1")]
    [InlineData("/nothing")]
    public async Task Path_WithoutEndpoint_IsNoSuchRoute(string path)
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Get, path);

        Assert.Equal(404, status);
        Assert.Equal("no_such_route", (string)body!["reason"]!);
        Assert.Contains("GET /square/{x}", (string)body["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Method_WrongVerb_NamesAllowedMethods()
    {
        using var response = await _replica.Client.DeleteAsync("/app/sum");
        var body = await response.Content.ReadAsStringAsync();

        Assert.Equal(405, (int)response.StatusCode);
        Assert.Equal("POST", Assert.Single(response.Content.Headers.Allow));
        Assert.Contains("Method DELETE is not allowed here. Use POST.", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"values\":[1,}", "Numbers body")]
    [InlineData("{\"values\":\"x\"}", "$.values")]
    [InlineData("", "parameter \"body\"")]
    public async Task Body_Malformed_IsBadInputThatNamesTheParameter(string json, string expected)
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Post, "/sum", new StringContent(json, Encoding.UTF8, "application/json"));

        Assert.Equal(400, status);
        Assert.Equal("bad_input", (string)body!["reason"]!);
        Assert.Contains(expected, (string)body["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/square/seven", "int x")]
    [InlineData("/greet", "string name")]
    public async Task Value_MissingOrWrong_IsBadInputThatNamesTheParameter(string path, string expected)
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Get, path);

        Assert.Equal(400, status);
        Assert.Equal("bad_input", (string)body!["reason"]!);
        Assert.Contains(expected, (string)body["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_OfAnotherContentType_IsRefused()
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Post, "/sum", new StringContent("1,2", Encoding.UTF8, "text/plain"));

        Assert.Equal(415, status);
        Assert.Equal("bad_input", (string)body!["reason"]!);
    }

    [Fact]
    public async Task Body_OverTheLimit_IsRefused()
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Post, "/sum", JsonContent.Create(new { values = new int[2000] }));

        Assert.Equal(413, status);
        Assert.Equal("bad_input", (string)body!["reason"]!);
    }
}
