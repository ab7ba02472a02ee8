using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Client of the protocol over REST.</summary>
internal sealed class RestProtocolClient(HttpClient http) : IProtocolClient
{
    public async Task<bool> IsLiveAsync() => (bool)(await AskAsync(HttpMethod.Get, "v2/health/live"))["live"]!;

    public Task<bool> IsReadyAsync() => IsReadyAsync("v2/health/ready");

    public Task<bool> IsModelReadyAsync(string model, string version = "") => IsReadyAsync(PathOf(model, version) + "/ready");

    public async Task<(string Name, string Version, string[] Extensions)> DescribeServerAsync()
    {
        var answer = await AskAsync(HttpMethod.Get, "v2");
        return ((string)answer["name"]!, (string)answer["version"]!, [.. answer["extensions"]!.AsArray().Select(each => (string)each!)]);
    }

    public async Task<ProtocolModelMetadata> DescribeAsync(string model, string version = "")
    {
        var answer = await AskAsync(HttpMethod.Get, PathOf(model, version));
        return new((string)answer["name"]!, answer["versions"]!.ToJsonString(), (string)answer["platform"]!, Tensors("inputs"), Tensors("outputs"));

        string[] Tensors(string name) => [.. answer[name]!.AsArray().Select(each => $"{each!["name"]} {each["datatype"]} {each["shape"]!.ToJsonString()}")];
    }

    public async Task<ProtocolModelConfiguration> ConfigureAsync(string model, string version = "")
    {
        var answer = await AskAsync(HttpMethod.Get, PathOf(model, version) + "/config");
        return new(
            (string)answer["name"]!, (string)answer["platform"]!, (string)answer["backend"]!, (long)answer["max_batch_size"]!, Tensors("input"), Tensors("output"),
            (long?)answer["dynamic_batching"]?["max_queue_delay_microseconds"]);

        string[] Tensors(string name) => [.. answer[name]!.AsArray().Select(each => $"{each!["name"]} {each["data_type"]} {each["dims"]!.ToJsonString()}")];
    }

    public async Task<ProtocolAnswer> InferAsync(
        string model, ProtocolInput[] inputs, string[]? outputs = null, string version = "", string id = "", IReadOnlyDictionary<string, object>? parameters = null)
    {
        var request = new JsonObject { ["inputs"] = new JsonArray([.. inputs.Select(input => Write(input, input == inputs[0] ? parameters : null))]) };
        if (id.Length > 0)
            request["id"] = id;
        if (parameters is not null)
            request["parameters"] = Write(parameters);
        if (outputs is not null)
            request["outputs"] = new JsonArray([.. outputs.Select(output => Write(output, parameters))]);
        var answer = await AskAsync(HttpMethod.Post, PathOf(model, version) + "/infer", request.ToJsonString());
        return new((string)answer["model_name"]!, (string)answer["model_version"]!, (string?)answer["id"] ?? "", [.. answer["outputs"]!.AsArray().Select(Read)]);
    }

    public async Task<string[]> IndexAsync(bool? ready = null) =>
    [
        .. (await AskAsync(HttpMethod.Post, "v2/repository/index", ready is null ? "{}" : $$"""{"ready":{{(ready.Value ? "true" : "false")}}}""")).AsArray()
            .Select(each => $"{each!["name"]} {each["version"]} {each["state"]} {each["reason"]}"),
    ];

    public Task LoadAsync(string model, IReadOnlyDictionary<string, string>? parameters = null) => AskAsync(
        HttpMethod.Post, $"v2/repository/models/{model}/load",
        parameters is null ? "" : new JsonObject { ["parameters"] = new JsonObject(parameters.Select(each => KeyValuePair.Create(each.Key, (JsonNode?)each.Value))) }.ToJsonString());

    public Task UnloadAsync(string model, bool? dependents = null) => AskAsync(
        HttpMethod.Post, $"v2/repository/models/{model}/unload", dependents is null ? "" : """{"parameters":{"unload_dependents":true}}""");

    public async Task<IReadOnlyList<ProtocolModelCounts>> CountAsync(string model = "", string version = "")
    {
        var answer = await AskAsync(HttpMethod.Get, model.Length == 0 ? "v2/models/stats" : PathOf(model, version) + "/stats");
        return [.. answer["model_stats"]!.AsArray().Select(each => Read(each!))];

        static ProtocolModelCounts Read(JsonNode each)
        {
            var stats = each["inference_stats"]!;
            long Count(string name) => (long)stats[name]!["ns"]! >= 0 ? (long)stats[name]!["count"]! : -1;
            return new(
                (string)each["name"]!, (string)each["version"]!, (long)each["last_inference"]!, (long)each["inference_count"]!, (long)each["execution_count"]!,
                Count("success"), Count("fail"), Count("queue"), Count("compute_input"), Count("compute_infer"), Count("compute_output"), Count("cache_hit") + Count("cache_miss"),
                string.Join(" ", each["batch_stats"]!.AsArray().Select(batch => $"{batch!["batch_size"]}:{batch["compute_input"]!["count"]}:{batch["compute_infer"]!["count"]}:{batch["compute_output"]!["count"]}")));
        }
    }

    private static string PathOf(string model, string version) => version.Length == 0 ? $"v2/models/{model}" : $"v2/models/{model}/versions/{version}";

    private static JsonObject Write(ProtocolInput input, IReadOnlyDictionary<string, object>? parameters)
    {
        var written = new JsonObject
        {
            ["name"] = input.Name,
            ["shape"] = JsonNode.Parse(input.Shape),
            ["datatype"] = input.Datatype,
            ["data"] = JsonNode.Parse(input.Data),
        };
        if (parameters is not null)
            written["parameters"] = Write(parameters);
        return written;
    }

    private static JsonObject Write(string output, IReadOnlyDictionary<string, object>? parameters)
    {
        var parts = output.Split(':');
        var all = new Dictionary<string, object>(parameters ?? new Dictionary<string, object>());
        if (parts.Length > 1)
            all["classification"] = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return new() { ["name"] = parts[0], ["parameters"] = Write(all) };
    }

    private static JsonObject Write(IReadOnlyDictionary<string, object> parameters) =>
        new(parameters.Select(each => KeyValuePair.Create(each.Key, (JsonNode?)(each.Value switch { bool flag => flag, int number => number, var text => (string)text }))));

    private static ProtocolOutput Read(JsonNode? output) =>
        new((string)output!["name"]!, (string)output["datatype"]!, output["shape"]!.ToJsonString(), output["data"]!.ToJsonString());

    // 200 is ready and 503 is not ready; the body has the same value.
    private async Task<bool> IsReadyAsync(string path)
    {
        using var response = await http.GetAsync(path);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable))
            throw new ProtocolErrorException(StatusOf(response.StatusCode), (string)answer["error"]!);
        Assert.Equal(response.StatusCode == HttpStatusCode.OK, (bool)answer["ready"]!);
        return response.StatusCode == HttpStatusCode.OK;
    }

    private async Task<JsonNode> AskAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (response.IsSuccessStatusCode)
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
        }

        // The body of an error is an object with a string member "error".
        throw new ProtocolErrorException(StatusOf(response.StatusCode), (string)JsonNode.Parse(text)!.AsObject()["error"]!);
    }

    private static StatusCode StatusOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => StatusCode.InvalidArgument,
        HttpStatusCode.NotFound => StatusCode.NotFound,
        HttpStatusCode.ServiceUnavailable => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}
