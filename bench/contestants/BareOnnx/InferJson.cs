using System.Text.Json;
using System.Text.Json.Serialization;

/// <summary>Generated (de)serializers: the fastest that System.Text.Json has.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(InferRequest))]
[JsonSerializable(typeof(InferResponse))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(long[]))]
internal sealed partial class InferJson : JsonSerializerContext;
