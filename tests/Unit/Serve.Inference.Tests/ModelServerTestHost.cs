using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Inference.Models;
using Serve.Specs;

namespace Serve.Inference.Tests;

/// <summary>A model server behind Kestrel with a test's models, deployed as <c>fake</c>.</summary>
internal sealed class ModelServerTestHost : IAsyncDisposable, IOnnxModels, IReplicaContext
{
    public const string Prefix = "/v2/models/fake";
    private const long MaxBody = 30_000_000;

    private readonly Dictionary<string, Func<OnnxModel>> _models;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-models-");
    private readonly WebApplication _app;

    private ModelServerTestHost(Dictionary<string, Func<OnnxModel>> models, long maxBody, TimeProvider time)
    {
        _models = models;
        foreach (var version in models.Keys)
            File.WriteAllText(Path.Combine(_folder.CreateSubdirectory(version).FullName, ModelVersionFiles.FileName), version);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = maxBody;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Logging.ClearProviders();
        _app = builder.Build();
        var environment = new HostingEnvironment { ApplicationName = "fake", ContentRootPath = _folder.FullName };
        Server = new(this, this, environment, time, NullLogger<OnnxModelServer>.Instance);
        _app.UsePathBase(Prefix);
        _app.UseRouting();
        Server.Map(_app);
    }

    public OnnxModelServer Server { get; }

    public HttpClient Client { get; private set; } = null!;

    /// <summary>Address of the gRPC service.</summary>
    public Uri RpcAddress => new(_app.Urls.Last() + Prefix + "/inference.GRPCInferenceService/");

    public List<OnnxOptions> Loads { get; } = [];

    public ReplicaId ReplicaId => new(DeploymentId, "r1");

    public DeploymentId DeploymentId => new("fake", "fake");

    public int Rank => 0;

    public int WorldSize => 1;

    public int NodeRank => 0;

    public int LocalRank => 0;

    public GangContext? Gang => null;

    public IReadOnlyList<int> GpuIds => [];

    public string? RequestId => null;

    public string? MultiplexedModelId => null;

    public static Task<ModelServerTestHost> StartAsync(OnnxModel model, long maxBody = MaxBody, TimeProvider? time = null) =>
        StartAsync(new Dictionary<string, Func<OnnxModel>> { ["1"] = () => model }, null, maxBody, time);

    public static async Task<ModelServerTestHost> StartAsync(Dictionary<string, Func<OnnxModel>> models, ModelUserConfig? config = null, long maxBody = MaxBody, TimeProvider? time = null)
    {
        var host = new ModelServerTestHost(models, maxBody, time ?? TimeProvider.System);
        if (config is not null)
            await host.Server.Reconfigure(config, CancellationToken.None);
        await host.Server.CheckHealth(CancellationToken.None);
        await host._app.StartAsync();
        host.Client = new() { BaseAddress = new(host._app.Urls.First()) };
        return host;
    }

    public Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default)
    {
        Loads.Add(options!);
        return Task.FromResult(_models[File.ReadAllText(path)]());
    }

    public async Task<JsonObject> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await Client.GetAsync(Prefix + path);
        return await ReadAsync(response, expected);
    }

    public async Task<JsonObject> InferAsync(string json, HttpStatusCode expected = HttpStatusCode.OK, string path = "/infer")
    {
        using var response = await Client.PostAsync(Prefix + path, new StringContent(json, Encoding.UTF8, "application/json"));
        return await ReadAsync(response, expected);
    }

    /// <summary>Sends an invalid request and returns the error.</summary>
    public async Task<string> RefusedAsync(string json, HttpStatusCode expected = HttpStatusCode.BadRequest, string path = "/infer")
    {
        var answer = await InferAsync(json, expected, path);
        Assert.Single(answer);
        return (string)answer["error"]!;
    }

    /// <summary>Sends JSON followed by a binary part, with the length of the JSON or a test's value in the header.</summary>
    public Task<HttpResponseMessage> SendBinaryAsync(string json, byte[] binary, string? header = null)
    {
        var head = Encoding.UTF8.GetBytes(json);
        var content = new ByteArrayContent([.. head, .. binary]);
        content.Headers.Add("Inference-Header-Content-Length", header ?? head.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return Client.PostAsync(Prefix + "/infer", content);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await _app.DisposeAsync();
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(text)!.AsObject();
    }
}
