using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Serve.Dashboard.Tests;

public sealed class DashboardAccessTests
{
    private static readonly (string Name, string Value) Change = (DashboardOptions.ChangeHeader, "1");

    [Fact]
    public async Task SignIn_Token_SetsAStrictCookieThatDoesNotContainIt()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session", new { token = DashboardTestFixture.Token }, Change);

        var cookie = response.Headers.GetValues("Set-Cookie").Single();
        Assert.StartsWith($"serve-session-{dashboard.Client.BaseAddress!.Port}=", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(DashboardTestFixture.Token, cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_WithSession_ReachesTheApi()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var without = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/thing");
        using var with = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/thing", null, ("Cookie", cookie));

        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal("thing", await with.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{0}0")]
    [InlineData("{1}=9999999999.00")]
    [InlineData("{1}=")]
    [InlineData("{1}=a.b.c")]
    public async Task Get_ForgedSession_IsRefused(string format)
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var response = await dashboard.SendAsync(
            HttpMethod.Get, "/api/v1/thing", null, ("Cookie", string.Format(null, format, cookie, cookie.Split('=')[0])));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Get_ExpiredSession_IsRefused()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();
        dashboard.Time.Advance(TimeSpan.FromDays(31));

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/thing", null, ("Cookie", cookie));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Host", "evil.example")]
    public async Task Request_WithSessionFromAnotherSite_IsRefused(string header, string value)
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        // The name of the cookie follows the port in Host.
        var session = (await dashboard.SignInAsync()).Split('=')[1];
        var cookie = $"serve-session-{dashboard.Client.BaseAddress!.Port}={session}";

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/thing", null, ("Cookie", cookie), (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Post_WithSession_RequiresTheHeaderThatFormsCannotSend()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var without = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing", null, ("Cookie", cookie));
        using var with = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing", null, ("Cookie", cookie), Change);

        Assert.Equal(HttpStatusCode.Forbidden, without.StatusCode);
        Assert.Equal(HttpStatusCode.OK, with.StatusCode);
    }

    [Fact]
    public async Task Post_ReadOnly_IsRefusedForBrowsersOnly()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync(isReadOnly: true);
        var cookie = await dashboard.SignInAsync();

        using var browser = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing", null, ("Cookie", cookie), Change);
        using var read = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/thing", null, ("Cookie", cookie));
        using var client = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing", null, ("Authorization", "Bearer " + DashboardTestFixture.Token));

        Assert.Equal(HttpStatusCode.Forbidden, browser.StatusCode);
        Assert.Equal("read_only", (string?)(await browser.Content.ReadFromJsonAsync<JsonNode>())!["reason"]);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(HttpStatusCode.OK, client.StatusCode);
    }

    [Fact]
    public async Task Post_ReadOnlyWithoutToken_IsRefusedForBrowsersOnly()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync(token: null, isReadOnly: true);

        using var browser = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing", null, ("Sec-Fetch-Site", "same-origin"), Change);
        using var client = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/thing");

        Assert.Equal(HttpStatusCode.Forbidden, browser.StatusCode);
        Assert.Equal(HttpStatusCode.OK, client.StatusCode);
    }

    [Fact]
    public async Task GetSession_BeforeAndAfterSignIn_ReportsIt()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var before = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/session");
        using var after = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/session", null, ("Cookie", cookie));

        var stranger = (await before.Content.ReadFromJsonAsync<JsonObject>())!;
        var user = (await after.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal((false, true, false, ""), ((bool)stranger["signed_in"]!, (bool)stranger["token_required"]!, (bool)stranger["can_change"]!, (string?)stranger["node_id"]));
        Assert.Equal((true, true, "node-a", "node"), ((bool)user["signed_in"]!, (bool)user["can_change"]!, (string?)user["node_id"], (string?)user["kind"]));
    }

    [Fact]
    public async Task GetSession_NoToken_IsSignedIn()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync(token: null);

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/session");

        var state = (await response.Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal((true, false), ((bool)state["signed_in"]!, (bool)state["token_required"]!));
    }

    [Theory]
    [InlineData("""{"token":"wrong"}""", HttpStatusCode.Unauthorized)]
    [InlineData("""{"code":"wrong"}""", HttpStatusCode.Unauthorized)]
    [InlineData("""{}""", HttpStatusCode.Unauthorized)]
    [InlineData("""[]""", HttpStatusCode.BadRequest)]
    public async Task SignIn_Wrong_SetsNoCookie(string body, HttpStatusCode expected)
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session", JsonNode.Parse(body), Change);

        Assert.Equal(expected, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task SignIn_ManyFailures_WaitAMinute()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        for (var attempt = 0; attempt < 10; attempt++)
            (await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session", new { token = "wrong" }, Change)).Dispose();

        using var throttled = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session", new { token = DashboardTestFixture.Token }, Change);
        dashboard.Time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal(HttpStatusCode.TooManyRequests, throttled.StatusCode);
        await dashboard.SignInAsync();
    }

    [Fact]
    public async Task SignIn_Code_IsValidOnceAndForAMinute()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        (string, string) authorization = ("Authorization", "Bearer " + DashboardTestFixture.Token);
        using var stranger = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session/codes");
        var code = await CreateAsync();
        var late = await CreateAsync();

        using var first = await SignInAsync(code);
        using var second = await SignInAsync(code);
        dashboard.Time.Advance(TimeSpan.FromSeconds(61));
        using var expired = await SignInAsync(late);

        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, second.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, expired.StatusCode);

        async Task<string> CreateAsync()
        {
            using var response = await dashboard.SendAsync(HttpMethod.Post, "/api/v1/session/codes", null, authorization);
            return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["code"]!;
        }

        Task<HttpResponseMessage> SignInAsync(string presented) => dashboard.SendAsync(HttpMethod.Post, "/api/v1/session", new { code = presented }, Change);
    }

    [Fact]
    public async Task SignOut_DeletesTheCookie()
    {
        await using var dashboard = await DashboardTestFixture.StartAsync();
        var cookie = await dashboard.SignInAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Delete, "/api/v1/session", null, ("Cookie", cookie), Change);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Contains("expires=Thu, 01 Jan 1970", response.Headers.GetValues("Set-Cookie").Single(), StringComparison.OrdinalIgnoreCase);
    }
}
