using System.Text.Json.Serialization;

/// <summary>What goes out.</summary>
internal sealed record InferResponse(
    [property: JsonPropertyName("model_name")] string ModelName, [property: JsonPropertyName("model_version")] string ModelVersion, OutputTensor[] Outputs);

/// <summary>An output: its data is an array of floats or of longs.</summary>
internal sealed record OutputTensor(string Name, string Datatype, long[] Shape, object Data);
