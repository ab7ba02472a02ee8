using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Inference;
using Serve.Testing;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>A node with the models of the repository, and clients of the protocol.</summary>
public sealed class InferenceTestNode : IAsyncLifetime, IDisposable
{
    private GrpcChannel? _channel;

    public TestNodeProcess Node { get; private set; } = null!;

    public HttpClient Http => Node.Gateway;

    public GRPCInferenceService.GRPCInferenceServiceClient Rpc { get; private set; } = null!;

    /// <summary>Sends messages that a generated client would not write.</summary>
    public CallInvoker Invoker => _channel!.CreateCallInvoker();

    public static string Model(string name) => Path.Combine(RepositoryRoot, "deployments", "models", name);

    public static string Document(string name) => Path.Combine(RepositoryRoot, "docs", name);

    private static string RepositoryRoot { get; } = Find(new(AppContext.BaseDirectory));

    public async Task InitializeAsync()
    {
        // Clients of the protocol present no token when they load a model.
        Node = await TestNodeProcess.StartAsync(IsolationMode.Application, null, "--no-token");
        foreach (var model in new[] { "types", "digits", "text", "attention" })
            await DeployAsync(Model(model + ".onnx"));
        _channel = GrpcChannel.ForAddress(Node.GatewayAddress);
        Rpc = new(_channel);
    }

    public async Task DeployAsync(params string[] target)
    {
        var (code, _, errors) = await Node.CliAsync(["deploy", .. target]);
        Assert.True(code == 0, errors);
    }

    public async Task DisposeAsync() => await Node.DisposeAsync();

    public void Dispose() => _channel?.Dispose();

    public async Task<JsonNode> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await Http.GetAsync(path);
        return await ReadAsync(response, expected);
    }

    public async Task<JsonNode> PostAsync(string path, string json, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(path, content);
        return await ReadAsync(response, expected);
    }

    /// <summary>Sends JSON and a binary part, and splits the response accordingly.</summary>
    public async Task<(JsonNode Json, byte[] Binary)> PostBinaryAsync(string path, string json, byte[] binary)
    {
        var head = Encoding.UTF8.GetBytes(json);
        using var content = new ByteArrayContent([.. head, .. binary]);
        content.Headers.Add("Inference-Header-Content-Length", head.Length.ToString(CultureInfo.InvariantCulture));
        using var response = await Http.PostAsync(path, content);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        var length = response.Headers.TryGetValues("Inference-Header-Content-Length", out var values) ? int.Parse(values.Single(), CultureInfo.InvariantCulture) : body.Length;
        return (JsonNode.Parse(body.AsSpan(0, length))!, body[length..]);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static string Find(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "Serve.sln")) ? folder.FullName : Find(folder.Parent!);
}
