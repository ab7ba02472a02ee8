namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>An input with its elements as flat JSON.</summary>
internal sealed record ProtocolInput(string Name, string Datatype, string Shape, string Data);

/// <summary>An output with its elements as flat JSON.</summary>
internal sealed record ProtocolOutput(string Name, string Datatype, string Shape, string Data);

/// <summary>A response; missing values are empty.</summary>
internal sealed record ProtocolAnswer(string Model, string Version, string Id, IReadOnlyList<ProtocolOutput> Outputs);

/// <summary>A model's metadata; tensors as <c>name DATATYPE [shape]</c>.</summary>
internal sealed record ProtocolModelMetadata(string Name, string Versions, string Platform, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs);

/// <summary>A model's configuration; tensors as <c>name TYPE [dims]</c>.</summary>
internal sealed record ProtocolModelConfiguration(string Name, string Platform, string Backend, long MaxBatchSize, IReadOnlyList<string> Input, IReadOnlyList<string> Output, long? MaxQueueDelay);

/// <summary>Statistics of a model: counts only.</summary>
internal sealed record ProtocolModelCounts(string Name, string Version, long LastInference, long Inferences, long Executions, long Success, long Fail, long Queue, long Input, long Infer, long Output, long Cache, string Batches);
