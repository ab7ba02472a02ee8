using System.Text.Json;
using System.Text.Json.Serialization;

/// <summary>Request body.</summary>
internal sealed record InferRequest(InputTensor[] Inputs);

/// <summary>An input of floats.</summary>
internal sealed record InputTensor(string Name, long[] Shape, string Datatype, float[] Data);

/// <summary>Response body.</summary>
internal sealed record InferResponse(
    [property: JsonPropertyName("model_name")] string ModelName, [property: JsonPropertyName("model_version")] string ModelVersion, OutputTensor[] Outputs);

/// <summary>An output of floats or longs.</summary>
internal sealed record OutputTensor(string Name, string Datatype, long[] Shape, object Data);

/// <summary>Source-generated serializers, the fastest of System.Text.Json.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(InferRequest))]
[JsonSerializable(typeof(InferResponse))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(long[]))]
internal sealed partial class InferJson : JsonSerializerContext;
