using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Admin;
using Serve.Http;

namespace Serve.Controller.Tests;

public sealed class AdminApiTests
{
    private const string Counter = """{"name":"counter","import_path":"Counter@1","deployments":[{"name":"Counter","num_replicas":2}]}""";

    [Fact]
    public async Task Put_FullConfiguration_DeploysItsApplicationsAndDeletesTheOthers()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await admin.PutAsync("/api/serve/applications/other", """{"import_path":"Other@1"}""")).StatusCode);
        await admin.Node.UntilAsync("other", ApplicationStatus.Running);
        Assert.Equal(HttpStatusCode.OK, (await admin.PutAsync("/api/serve/applications/", $$"""{"applications":[{{Counter}}]}""")).StatusCode);
        await admin.Node.UntilAsync(() => admin.Node.Controller.GetDetails("other") is null);
        await admin.Node.UntilAsync("counter", ApplicationStatus.Running);

        var json = JsonNode.Parse(await admin.Client.GetStringAsync("/api/serve/applications/"))!;
        Assert.Equal("RUNNING", (string?)json["applications"]!["counter"]!["status"]);
        Assert.Equal("HEALTHY", (string?)json["applications"]!["counter"]!["deployments"]!["Counter"]!["status"]);
        Assert.Equal("/Counter", (string?)json["applications"]!["counter"]!["route_prefix"]);
        Assert.Equal("RUNNING", (string?)json["applications"]!["counter"]!["deployments"]!["Counter"]!["replicas"]![0]!["state"]);
        Assert.Equal("HEALTHY", (string?)json["proxies"]!["n1"]!["status"]);
        Assert.Equal(8000, (int?)json["target_groups"]![0]!["targets"]![0]!["port"]);
    }

    [Theory]
    [InlineData("""{"applications":[{"name":"a","import_path":"A@1","num_replica":1},{"name":"a","import_path":"A@1"}]}""", 2)]
    [InlineData("""{"applications":[{"name":"a","import_path":"broken.cs"}]}""", 2)]
    [InlineData("""{"applications":[{"name":"a","import_path":"A@1","route_prefix":"/x"},{"name":"b","import_path":"B@1","route_prefix":"/x"}]}""", 1)]
    [InlineData("""{"applications":[{"name":"a","import_path":"A@1","deployments":[{"name":"B"}]}]}""", 1)]
    public async Task Put_InvalidConfiguration_ReportsEveryErrorAndChangesNothing(string body, int errors)
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        var response = await admin.PutAsync("/api/serve/applications/", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal(ErrorReason.BadInput, (string?)problem["reason"]);
        Assert.True(problem["errors"]!.AsArray().Count >= errors, problem.ToJsonString());
        Assert.Empty(await admin.Node.Store.LoadAsync(default));
        Assert.Empty(admin.Node.Agent.Calls);
    }

    [Fact]
    public async Task Put_RoutePrefixInUse_IsRejected()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        await admin.PutAsync("/api/serve/applications/a", """{"import_path":"A@1","route_prefix":"/x"}""");
        var response = await admin.PutAsync("/api/serve/applications/b", """{"import_path":"B@1","route_prefix":"/x"}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("already used by application 'a'", (string?)(await response.Content.ReadFromJsonAsync<JsonNode>())!["detail"]);
    }

    [Fact]
    public async Task Put_MalformedJson_Returns400() =>
        await WithAsync(async admin => Assert.Equal(HttpStatusCode.BadRequest, (await admin.PutAsync("/api/serve/applications/", "{")).StatusCode));

    [Fact]
    public async Task Put_BodyOverTheLimit_Returns413()
    {
        await using var admin = await AdminApiTestFixture.StartAsync(options: new() { NodeId = new("n1"), MaxRequestBodyBytes = 100 });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await admin.PutAsync("/api/serve/applications/", new string(' ', 200))).StatusCode);
    }

    [Fact]
    public async Task Put_OtherHttpOptions_Returns409() => await WithAsync(async admin =>
    {
        var response = await admin.PutAsync("/api/serve/applications/", """{"http_options":{"port":9999},"applications":[]}""");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("port is 8000, not 9999", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("/", "/docs")]
    [InlineData("/swagger", "/docs")]
    [InlineData("/openapi.json", "/docs/v1/openapi.json")]
    public async Task Get_UsualPathOfTheDocumentation_Redirects(string path, string target) => await WithAsync(async admin =>
    {
        var response = await admin.Client.GetAsync(path);
        Assert.Equal(target, response.StatusCode == HttpStatusCode.Redirect ? response.Headers.Location!.OriginalString : response.RequestMessage!.RequestUri!.AbsolutePath.Replace("/index.html", "", StringComparison.Ordinal));
    });

    [Fact]
    public async Task GetLogs_UnknownApplication_ListsTheApplications() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/", $$"""{"applications":[{{Counter}}]}""");
        Assert.Contains("Applications: counter.", await (await admin.Client.GetAsync("/api/v1/applications/nope/logs")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("GET", "/api/serve/applications/nope")]
    [InlineData("DELETE", "/api/serve/applications/nope")]
    [InlineData("GET", "/api/v1/applications/nope/logs")]
    public async Task AnyMethod_UnknownApplication_Returns404(string method, string path) => await WithAsync(async admin =>
    {
        var response = await admin.Client.SendAsync(new(new HttpMethod(method), path));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("nope", await response.Content.ReadAsStringAsync());
    });

    [Fact]
    public async Task Scale_KnownUnknownAndOutOfRange_ReturnsTheMatchingStatus() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        Task<HttpResponseMessage> ScaleAsync(string path, string body) => admin.Client.PostAsync($"/api/v1/applications/{path}/scale", new StringContent(body));
        Assert.Equal(HttpStatusCode.OK, (await ScaleAsync("counter/deployments/Counter", """{"target_num_replicas":3}""")).StatusCode);
        await admin.Node.UntilAsync(() => admin.Node.Running("counter").Length == 3);
        Assert.Equal(HttpStatusCode.NotFound, (await ScaleAsync("counter/deployments/Nope", """{"target_num_replicas":3}""")).StatusCode);
        foreach (var wrong in new[] { """{"target_num_replicas":-1}""", """{"target_num_replicas":10001}""", """{"target_num_replicas":"3"}""", """{"num_replicas":3}""", "[]" })
            Assert.Equal(HttpStatusCode.BadRequest, (await ScaleAsync("counter/deployments/Counter", wrong)).StatusCode);
    });

    [Fact]
    public async Task GetDecisions_AfterDeployAndScale_ContainsEachActionWithItsReason() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        await admin.Client.PostAsync("/api/v1/applications/counter/deployments/Counter/scale", new StringContent("""{"target_num_replicas":3}"""));
        await admin.Node.UntilAsync(() => admin.Node.Running("counter").Length == 3);

        var all = (await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/decisions"))!;
        var starts = (await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/decisions?kind=start_replica&application=counter&limit=2"))!;
        var rest = (await admin.Client.GetFromJsonAsync<JsonNode>($"/api/v1/decisions?kind=start_replica&application=counter&before={starts["next_before"]}"))!;

        Assert.Contains(all["decisions"]!.AsArray(), decision => (string?)decision!["kind"] == "change_desired_state" && (string?)decision["application"] == "counter");
        Assert.Equal((2, 1), (starts["decisions"]!.AsArray().Count, rest["decisions"]!.AsArray().Count));
        Assert.All(starts["decisions"]!.AsArray(), decision => Assert.NotEmpty((string)decision!["reason"]!));
        Assert.True((long)starts["decisions"]![0]!["generation"]! > 0);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.Client.GetAsync("/api/v1/decisions?limit=1001")).StatusCode);
    });

    [Fact]
    public async Task Redeploy_KnownAndUnknown_ReturnsTheMatchingStatus() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        var same = await admin.Client.PostAsync("/api/v1/applications/counter/redeploy", null);
        Assert.False((bool)(await same.Content.ReadFromJsonAsync<JsonNode>())!["changed"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.Client.PostAsync("/api/v1/applications/nope/redeploy", null)).StatusCode);
    });

    [Fact]
    public async Task Rollback_KnownUnknownAndInvalid_ReturnsTheMatchingStatus() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        await admin.PutAsync("/api/serve/applications/counter", Counter.Replace("@1", "@2", StringComparison.Ordinal));
        Task<HttpResponseMessage> RollBackAsync(string application, string body) => admin.Client.PostAsync($"/api/v1/applications/{application}/rollback", new StringContent(body));
        Assert.Equal(HttpStatusCode.NotFound, (await RollBackAsync("nope", "{}")).StatusCode);
        foreach (var wrong in new[] { """{"revision":7}""", """{"revision":"1"}""", """{"to":1}""", "[]" })
            Assert.Equal(HttpStatusCode.BadRequest, (await RollBackAsync("counter", wrong)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await RollBackAsync("counter", """{"revision":1}""")).StatusCode);
        var revisions = await admin.Client.GetStringAsync("/api/v1/applications/counter/revisions");
        Assert.Contains("\"note\":\"rollback to revision 1\"", revisions.Replace(": ", ":", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, (await admin.Client.GetAsync("/api/v1/applications/nope/revisions")).StatusCode);
    });

    [Fact]
    public async Task Canary_KnownUnknownAndInvalid_ReturnsTheMatchingStatus() => await WithAsync(async admin =>
    {
        Task<HttpResponseMessage> PostAsync(string path, string body = "") => admin.Client.PostAsync($"/api/v1/applications/{path}", new StringContent(body));
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        foreach (var path in new[] { "counter/promote", "counter/canary" })
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(path, """{"percent":10}""")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync("nope/promote")).StatusCode);
        foreach (var (canary, error) in new[]
        {
            ("""{"percent":101}""", "canary.percent: must be at least 0 and at most 100, not 101"),
            ("""{"percent":"NaN"}""", "canary.percent: expected a number, got"),
            ("""{"percent":10,"key":"session"}""", "canary.key: must be header:NAME, cookie:NAME, query:NAME"),
            ("""{"header":"x-canary"}""", "canary.header: 'x-canary' must be a header's name and value, written NAME=VALUE"),
            ("""{"percent":10,"max_error_rate":5}""", "canary.max_error_rate: must be at least 0 and at most 1, not 5"),
            ("""{"percent":10,"max_errors":5}""", "canary.max_errors: unknown key 'max_errors'"),
            ("""{"steps":[10,200]}""", "canary.steps[1]: must be at least 0 and at most 100, not 200"),
            ("""{"steps":[50,10]}""", "canary.steps must be increasing percents above 0"),
        })
        {
            var response = await admin.PutAsync("/api/serve/applications/counter", Counter.Replace("@1", "@2", StringComparison.Ordinal).Insert(1, $"\"canary\":{canary},"));
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains(error, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]!.ToString().Replace("\\u0027", "'", StringComparison.Ordinal));
        }

        var deployed = await admin.PutAsync("/api/serve/applications/counter", Counter.Replace("@1", "@2", StringComparison.Ordinal).Insert(1, "\"canary\":{\"percent\":10},\"shadow\":{\"percent\":5},"));
        Assert.Equal(HttpStatusCode.OK, deployed.StatusCode);
        foreach (var wrong in new[] { """{"percent":101}""", """{"percent":"10"}""", "{}" })
            Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("counter/canary", wrong)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("counter/canary", """{"percent":25}""")).StatusCode);
        var status = JsonNode.Parse(await admin.Client.GetStringAsync("/api/serve/applications/counter"))!["canary"]!;
        Assert.Equal((25, 5, 2), ((int)status["percent"]!, (int)status["shadow"]!["percent"]!, (int)status["revision"]!));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("counter/promote")).StatusCode);
    });

    [Fact]
    public async Task Scale_DeploymentThatFollowsItsLoad_Returns409() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", """{"name":"counter","import_path":"Counter@1","deployments":[{"name":"Counter","num_replicas":"auto"}]}""");
        var response = await admin.Client.PostAsync("/api/v1/applications/counter/deployments/Counter/scale", new StringContent("""{"target_num_replicas":3}"""));
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("follows its load (autoscaling_config)", await response.Content.ReadAsStringAsync());
    });

    [Theory]
    [InlineData("Host", "evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-origin", HttpStatusCode.OK)]
    public async Task AnyMethod_ForeignOriginOrHost_IsRejectedOnEveryPath(string header, string value, HttpStatusCode expected) => await WithAsync(async admin =>
    {
        foreach (var path in new[] { "/api/serve/applications/", "/metrics", "/docs/v1/openapi.json" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (header == "Host")
                request.Headers.Host = value;
            else
                request.Headers.Add(header, value);
            Assert.Equal(expected, (await admin.Client.SendAsync(request)).StatusCode);
        }
    });

    [Fact]
    public async Task Health_ForeignHostWithoutToken_IsAnswered()
    {
        // As kubelets ask: by the address of the pod.
        await using var admin = await AdminApiTestFixture.StartAsync(new RequestGuardOptions { Token = "secret" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/-/healthz");
        request.Headers.Host = "10.1.2.3:8265";
        Assert.Equal(HttpStatusCode.OK, (await admin.Client.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/docs/v1/openapi.json")]
    [InlineData("/docs/index.html")]
    [InlineData("/swagger")]
    [InlineData("/openapi.json")]
    public async Task Docs_WithoutToken_AreReadable(string path)
    {
        await using var admin = await AdminApiTestFixture.StartAsync(new RequestGuardOptions { Token = "secret" });
        var response = await admin.Client.GetAsync(path);
        Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Redirect, $"{response.StatusCode}");
    }

    [Theory]
    [InlineData("GET", 200, null)]
    [InlineData("HEAD", 200, null)]
    [InlineData("OPTIONS", 405, "GET, HEAD")]
    [InlineData("POST", 405, "GET, HEAD")]
    public async Task Health_AnyMethod_ReturnsItsStatus(string method, int status, string? allow) => await WithAsync(async admin =>
    {
        using var response = await admin.Client.SendAsync(new(new HttpMethod(method), "/-/healthz"));
        Assert.Equal((status, allow), ((int)response.StatusCode, allow is null ? null : string.Join(", ", response.Content.Headers.Allow.Order(StringComparer.Ordinal))));
    });

    [Fact]
    public async Task AnyMethod_TokenConfigured_IsRequired()
    {
        await using var admin = await AdminApiTestFixture.StartAsync(new RequestGuardOptions { Token = "secret" });
        using var missing = await admin.Client.GetAsync("/api/serve/applications/");
        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (missing.StatusCode, missing.Headers.WwwAuthenticate.ToString()));
        admin.Client.DefaultRequestHeaders.Authorization = new("Bearer", "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, (await admin.Client.GetAsync("/api/serve/applications/")).StatusCode);
        admin.Client.DefaultRequestHeaders.Authorization = new("Bearer", "secret");
        Assert.Equal(HttpStatusCode.OK, (await admin.Client.GetAsync("/api/serve/applications/")).StatusCode);
    }

    [Fact]
    public async Task Docs_Document_ListsEveryPathAndThePageLoadsNoExternalResources() => await WithAsync(async admin =>
    {
        var document = JsonNode.Parse(await admin.Client.GetStringAsync("/docs/v1/openapi.json"))!;
        var paths = document["paths"]!.AsObject().Select(path => path.Key).ToList();
        Assert.Contains("/api/serve/applications", paths);
        Assert.Contains("/api/v1/shutdown", paths);

        // The sample page of the bundle refers to an external document and must not be served.
        Assert.DoesNotContain("swagger-initializer", await admin.Client.GetStringAsync("/docs/index.html"));
        foreach (var page in new[] { "/docs/index.html", "/docs/index.js" })
        {
            using var response = await admin.Client.GetAsync(page);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.DoesNotMatch("(src|href|import|url|fetch)\\W{1,3}(https?:)?//", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(HttpStatusCode.OK, (await admin.Client.GetAsync("/docs")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await admin.Client.GetAsync("/docs/swagger-ui-bundle.js")).StatusCode);
    });

    [Fact]
    public async Task Metrics_OfNodeAndWorkers_AreMerged() => await WithAsync(async admin =>
    {
        admin.Node.Agent.WorkerMetrics = ["# TYPE serve_replica_processing_queries gauge\nserve_replica_processing_queries{replica=\"x\"} 4\n"];
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        await admin.Node.UntilAsync("counter", ApplicationStatus.Running);
        var text = await admin.Client.GetStringAsync("/metrics");
        Assert.Contains("serve_deployment_replica_starts_total{application=\"counter\",deployment=\"Counter\"} 2\n", text);
        Assert.Contains("serve_application_status{application=\"counter\"} 3\n", text);
        Assert.Contains("serve_replica_processing_queries{replica=\"x\"} 4\n", text);
    });

    [Fact]
    public async Task Shutdown_DrainsRespondsAndThenStopsTheNode() => await WithAsync(async admin =>
    {
        await admin.PutAsync("/api/serve/applications/counter", Counter);
        await admin.Node.UntilAsync("counter", ApplicationStatus.Running);
        var response = await admin.Client.PostAsync("/api/v1/shutdown", null);
        var report = JsonSerializer.Deserialize<NodeShutdownReport>(await response.Content.ReadAsStringAsync(), ServeJson.Options)!;
        Assert.Equal(2, report.Replicas.Count);
        Assert.Single(report.Processes);
        Assert.Empty(admin.Node.Agent.Actors);
        await admin.Node.UntilAsync(() => admin.Node.Controller.ShutdownRequested.IsCancellationRequested);
        Assert.Equal(HttpStatusCode.Conflict, (await admin.PutAsync("/api/serve/applications/counter", Counter)).StatusCode);
    });

    [Fact]
    public async Task Logs_Follow_StreamsUntilTheClientDisconnects() => await WithAsync(async admin =>
    {
        var place = admin.Node.State.Replicas.LogsOf(new(new("counter", "Counter"), "aaaaaaaa"));
        Directory.CreateDirectory(place);
        var file = Path.Combine(place, "replica.log");
        await File.WriteAllTextAsync(file, "one\ntwo\n");
        Assert.Equal("two\n", await admin.Client.GetStringAsync("/api/v1/applications/counter/logs?tail=1"));

        using var response = await admin.Client.GetAsync("/api/v1/applications/counter/logs?tail=1&follow=true", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("two", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        await File.AppendAllTextAsync(file, "three\n");
        Assert.Equal("three", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    });

    [Fact]
    public async Task Packages_ValidZip_IsStoredByItsHash() => await WithAsync(async admin =>
    {
        var response = await admin.Client.PostAsync("/api/v1/packages", new ByteArrayContent(Zip(("a/b.txt", "hello"))));
        var reference = JsonSerializer.Deserialize<UploadedPackageReference>(await response.Content.ReadAsStringAsync(), ServeJson.Options)!;
        var folder = Path.Combine(admin.Node.State.Packages, reference.ImportPath["package:".Length..]);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(folder, "a", "b.txt")));
        Assert.Equal(["node.pid"], Directory.EnumerateFileSystemEntries(admin.Node.State.Run).Select(Path.GetFileName));
    });

    [Theory]
    [InlineData("../evil.txt")]
    [InlineData("a/../../evil.txt")]
    [InlineData("/evil.txt")]
    [InlineData("..\\evil.txt")]
    public async Task Packages_ZipWithPathsOutsideOfItsFolder_IsRejectedAndLeavesNothing(string name) => await WithAsync(async admin =>
    {
        var response = await admin.Client.PostAsync("/api/v1/packages", new ByteArrayContent(Zip(("ok.txt", "x"), (name, "evil"))));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(admin.Node.State.Packages));
        Assert.Equal(["node.pid"], Directory.EnumerateFileSystemEntries(admin.Node.State.Run).Select(Path.GetFileName));
        Assert.Empty(Directory.EnumerateFiles(admin.Node.Folder, "evil*", SearchOption.AllDirectories));
    });

    [Fact]
    public async Task Packages_NotAZipOrTooLarge_IsRejected()
    {
        await using var admin = await AdminApiTestFixture.StartAsync(options: new() { NodeId = new("n1"), MaxPackageBytes = 10_000, MaxUnpackedBytes = 50_000 });
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.Client.PostAsync("/api/v1/packages", new ByteArrayContent(Encoding.UTF8.GetBytes("no zip")))).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await admin.Client.PostAsync("/api/v1/packages", new ByteArrayContent(new byte[20_000]))).StatusCode);
        var bomb = await admin.Client.PostAsync("/api/v1/packages", new ByteArrayContent(Zip(("big", new string('x', 100_000)))));
        Assert.Equal(HttpStatusCode.BadRequest, bomb.StatusCode);
        Assert.Contains("unpacked", await bomb.Content.ReadAsStringAsync());
    }

    private static async Task WithAsync(Func<AdminApiTestFixture, Task> test)
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        await test(admin);
    }

    private static byte[] Zip(params (string Name, string Text)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text) in entries)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        return stream.ToArray();
    }
}
