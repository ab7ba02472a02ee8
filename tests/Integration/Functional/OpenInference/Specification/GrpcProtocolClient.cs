using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;
using Inference;
using InferInput = Inference.ModelInferRequest.Types.InferInputTensor;
using InferOutput = Inference.ModelInferRequest.Types.InferRequestedOutputTensor;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Client of the protocol over gRPC, with typed contents.</summary>
internal sealed class GrpcProtocolClient(GRPCInferenceService.GRPCInferenceServiceClient rpc) : IProtocolClient
{
    public async Task<bool> IsLiveAsync() => (await AskAsync(rpc.ServerLiveAsync(new()))).Live;

    public async Task<bool> IsReadyAsync() => (await AskAsync(rpc.ServerReadyAsync(new()))).Ready;

    public async Task<bool> IsModelReadyAsync(string model, string version = "") => (await AskAsync(rpc.ModelReadyAsync(new() { Name = model, Version = version }))).Ready;

    public async Task<(string Name, string Version, string[] Extensions)> DescribeServerAsync()
    {
        var answer = await AskAsync(rpc.ServerMetadataAsync(new()));
        return (answer.Name, answer.Version, [.. answer.Extensions]);
    }

    public async Task<ProtocolModelMetadata> DescribeAsync(string model, string version = "")
    {
        var answer = await AskAsync(rpc.ModelMetadataAsync(new() { Name = model, Version = version }));
        return new(answer.Name, Json(answer.Versions), answer.Platform, Tensors(answer.Inputs), Tensors(answer.Outputs));

        static string[] Tensors(IEnumerable<ModelMetadataResponse.Types.TensorMetadata> tensors) => [.. tensors.Select(each => $"{each.Name} {each.Datatype} {Json(each.Shape)}")];
    }

    public async Task<ProtocolModelConfiguration> ConfigureAsync(string model, string version = "")
    {
        var config = (await AskAsync(rpc.ModelConfigAsync(new() { Name = model, Version = version }))).Config;
        return new(
            config.Name, config.Platform, config.Backend, config.MaxBatchSize,
            [.. config.Input.Select(each => $"{each.Name} {NameOf(each.DataType)} {Json(each.Dims)}")], [.. config.Output.Select(each => $"{each.Name} {NameOf(each.DataType)} {Json(each.Dims)}")],
            (long?)config.DynamicBatching?.MaxQueueDelayMicroseconds);

        static string NameOf(DataType type) => "TYPE_" + type.ToString()["Type".Length..].ToUpperInvariant();
    }

    public async Task<ProtocolAnswer> InferAsync(
        string model, ProtocolInput[] inputs, string[]? outputs = null, string version = "", string id = "", IReadOnlyDictionary<string, object>? parameters = null)
    {
        var request = new ModelInferRequest { ModelName = model, ModelVersion = version, Id = id };
        Write(parameters, request.Parameters);
        foreach (var input in inputs)
        {
            var tensor = new InferInput { Name = input.Name, Datatype = input.Datatype, Contents = InferenceSamples.Contents(input.Datatype, JsonNode.Parse(input.Data)!.AsArray()) };
            tensor.Shape.AddRange(JsonSerializer.Deserialize<long[]>(input.Shape));
            if (input == inputs[0])
                Write(parameters, tensor.Parameters);
            request.Inputs.Add(tensor);
        }

        foreach (var parts in (outputs ?? []).Select(output => output.Split(':')))
        {
            var output = new InferOutput { Name = parts[0] };
            Write(parameters, output.Parameters);
            if (parts.Length > 1)
                output.Parameters["classification"] = new() { Int64Param = long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) };
            request.Outputs.Add(output);
        }

        var answer = await AskAsync(rpc.ModelInferAsync(request));
        return new(answer.ModelName, answer.ModelVersion, answer.Id, [.. answer.Outputs.Select(each => new ProtocolOutput(each.Name, each.Datatype, Json(each.Shape), Read(each.Contents)))]);
    }

    public async Task<string[]> IndexAsync(bool? ready = null) =>
    [
        .. (await AskAsync(rpc.RepositoryIndexAsync(new() { Ready = ready ?? false }))).Models.Select(each => $"{each.Name} {each.Version} {each.State} {each.Reason}"),
    ];

    public Task LoadAsync(string model, IReadOnlyDictionary<string, string>? parameters = null)
    {
        var request = new RepositoryModelLoadRequest { ModelName = model };
        foreach (var (key, value) in parameters ?? new Dictionary<string, string>())
            request.Parameters[key] = new() { StringParam = value };
        return AskAsync(rpc.RepositoryModelLoadAsync(request));
    }

    public Task UnloadAsync(string model, bool? dependents = null)
    {
        var request = new RepositoryModelUnloadRequest { ModelName = model };
        if (dependents is { } flag)
            request.Parameters["unload_dependents"] = new() { BoolParam = flag };
        return AskAsync(rpc.RepositoryModelUnloadAsync(request));
    }

    public async Task<IReadOnlyList<ProtocolModelCounts>> CountAsync(string model = "", string version = "") =>
    [
        .. (await AskAsync(rpc.ModelStatisticsAsync(new() { Name = model, Version = version }))).ModelStats.Select(each => new ProtocolModelCounts(
            each.Name, each.Version, (long)each.LastInference, (long)each.InferenceCount, (long)each.ExecutionCount, (long)each.InferenceStats.Success.Count,
            (long)each.InferenceStats.Fail.Count, (long)each.InferenceStats.Queue.Count, (long)each.InferenceStats.ComputeInput.Count, (long)each.InferenceStats.ComputeInfer.Count,
            (long)each.InferenceStats.ComputeOutput.Count, (long)(each.InferenceStats.CacheHit.Count + each.InferenceStats.CacheMiss.Count),
            string.Join(" ", each.BatchStats.Select(batch => $"{batch.BatchSize}:{batch.ComputeInput.Count}:{batch.ComputeInfer.Count}:{batch.ComputeOutput.Count}")))),
    ];

    private static async Task<T> AskAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            return await call;
        }
        catch (RpcException error)
        {
            throw new ProtocolErrorException(error.StatusCode, error.Status.Detail);
        }
    }

    private static void Write(IReadOnlyDictionary<string, object>? parameters, MapField<string, InferParameter> target)
    {
        foreach (var (key, value) in parameters ?? new Dictionary<string, object>())
        {
            target[key] = value switch
            {
                bool flag => new() { BoolParam = flag },
                int number => new() { Int64Param = number },
                var text => new() { StringParam = (string)text },
            };
        }
    }

    private static string Json<T>(IEnumerable<T> values) => JsonSerializer.Serialize(values);

    // The only field that is not empty.
    private static string Read(InferTensorContents contents) => contents switch
    {
        { BoolContents.Count: > 0 } => Json(contents.BoolContents),
        { IntContents.Count: > 0 } => Json(contents.IntContents),
        { Int64Contents.Count: > 0 } => Json(contents.Int64Contents),
        { UintContents.Count: > 0 } => Json(contents.UintContents),
        { Uint64Contents.Count: > 0 } => Json(contents.Uint64Contents),
        { Fp32Contents.Count: > 0 } => Json(contents.Fp32Contents),
        { Fp64Contents.Count: > 0 } => Json(contents.Fp64Contents),
        { BytesContents.Count: > 0 } => Json(contents.BytesContents.Select(each => each.ToStringUtf8())),
        _ => "[]",
    };
}
