using System.Net;
using Serve.Testing;

namespace Serve.FunctionalTests.Protocol;

/// <summary>Middleware and files of a deployment work in every isolation.</summary>
[Collection(ProtocolTestCollection.Name)]
public sealed class MiddlewareTests(IsolationNodesFixture nodes)
{
    [Fact]
    public async Task Site_MiddlewareAndFiles_WorkInEveryIsolation()
    {
        using var scratch = new ScratchDirectory();
        var package = await BuildAsync(scratch, "Site");
        foreach (var isolation in IsolationNodesFixture.Isolations)
        {
            var node = nodes[isolation];
            await node.DeployAsync(package, name: "site");

            foreach (var (path, status) in new[] { ("user", HttpStatusCode.NoContent), ("any", HttpStatusCode.Forbidden) })
            {
                using var preflight = await SendAsync(
                    node, HttpMethod.Options, path, ("Origin", "http://site"), ("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "X-User"));
                Assert.Equal((isolation, path, status), (isolation, path, preflight.StatusCode));
                Assert.Equal(status == HttpStatusCode.NoContent, preflight.Headers.Contains("Access-Control-Allow-Origin"));
            }

            Assert.Equal("0", await node.Gateway.GetStringAsync("/site/calls"));
            using var anonymous = await SendAsync(node, HttpMethod.Put, "user", ("Origin", "http://site"));
            using var known = await SendAsync(node, HttpMethod.Put, "user", ("Origin", "http://site"), ("X-User", "ada"));
            Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
            Assert.Equal("http://site", Assert.Single(anonymous.Headers.GetValues("Access-Control-Allow-Origin")));
            Assert.Equal("ada 1", await known.Content.ReadAsStringAsync());
            Assert.Equal("words", await node.Gateway.GetStringAsync("/site/words"));
            Assert.Equal("page", await node.Gateway.GetStringAsync("/site/file"));
            Assert.Equal("page", await node.Gateway.GetStringAsync("/site/page.html"));
        }
    }

    [Fact]
    public async Task Open_AuthorizationWithoutServices_FailsTheDeployment()
    {
        using var scratch = new ScratchDirectory();
        var package = await BuildAsync(scratch, "Open");

        var (code, _, errors) = await nodes[IsolationMode.Application].CliAsync("deploy", package, "--name", "open");

        Assert.NotEqual(0, code);
        Assert.Contains("GET /secret requires authorization", errors, StringComparison.Ordinal);
        Assert.Contains("services.AddAuthentication(", errors, StringComparison.Ordinal);
    }

    private static async Task<string> BuildAsync(ScratchDirectory scratch, string name)
    {
        var source = scratch.Write("Site.cs", File.ReadAllText(ServeExecutable.Sample("Site.cs")));
        scratch.Write("words.txt", "words");
        Directory.CreateDirectory(scratch.In("wwwroot"));
        scratch.Write("wwwroot/page.html", "page");
        var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "build", $"{source}:{name}", "-o", scratch.In("Site.zip"));
        Assert.True(code == 0, errors);
        return scratch.In("Site.zip");
    }

    private static async Task<HttpResponseMessage> SendAsync(TestNodeProcess node, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, $"/site/{path}");
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await node.Gateway.SendAsync(request);
    }
}
