using System.IO.Compression;
using System.Net;

namespace Serve.Dashboard.Tests;

public sealed class DashboardAssetTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/index.html")]
    [InlineData("/applications/shop/deployments/Cart")]
    [InlineData("/applications/shop.v2")]
    [InlineData("/logs?q=error")]
    public async Task Get_PageWithoutToken_ReturnsIndexWithoutInlineCode(string path)
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.StartsWith("<!doctype html>", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Get_AcceptsGzip_ReturnsTheSameContentCompressed()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        using var plain = await dashboard.SendAsync(HttpMethod.Get, "/");

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/", null, ("Accept-Encoding", "br, gzip"));

        Assert.Equal("gzip", response.Content.Headers.ContentEncoding.Single());
        await using var content = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(content);
        Assert.Equal(await plain.Content.ReadAsStringAsync(), await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task Get_KnownTag_ReturnsNotModified()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        using var first = await dashboard.SendAsync(HttpMethod.Get, "/");

        using var second = await dashboard.SendAsync(HttpMethod.Get, "/", null, ("If-None-Match", first.Headers.ETag!.ToString()));
        using var other = await dashboard.SendAsync(HttpMethod.Get, "/", null, ("If-None-Match", "\"other\""));

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal("", await second.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.True(first.Headers.CacheControl!.NoCache);
    }

    [Theory]
    [InlineData("GET", "/missing.js", HttpStatusCode.Unauthorized)]
    [InlineData("POST", "/", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/api/v1/thing", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/api/v1/unknown", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/docs", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/v2/models", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/metrics", HttpStatusCode.Unauthorized)]
    public async Task Request_NotAPage_IsLeftToTheApi(string method, string path, HttpStatusCode expected)
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();

        using var response = await dashboard.SendAsync(new(method), path);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Get_ForeignHost_IsRefused()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/", null, ("Host", "evil.example"));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }
}
