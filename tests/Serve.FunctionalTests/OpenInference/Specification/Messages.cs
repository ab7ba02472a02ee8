namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>An input, its elements as JSON, flat.</summary>
internal sealed record Input(string Name, string Datatype, string Shape, string Data);

/// <summary>An output, its elements as JSON, flat.</summary>
internal sealed record Output(string Name, string Datatype, string Shape, string Data);

/// <summary>An answer; what is not in it is empty.</summary>
internal sealed record Answer(string Model, string Version, string Id, IReadOnlyList<Output> Outputs);

/// <summary>A model's metadata; tensors as <c>name DATATYPE [shape]</c>.</summary>
internal sealed record Metadata(string Name, string Versions, string Platform, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs);

/// <summary>A model's configuration; tensors as <c>name TYPE [dims]</c>.</summary>
internal sealed record Configuration(string Name, string Platform, string Backend, long MaxBatchSize, IReadOnlyList<string> Input, IReadOnlyList<string> Output, long? MaxQueueDelay);

/// <summary>What a model has done: counts only.</summary>
internal sealed record Counts(string Name, string Version, long LastInference, long Inferences, long Executions, long Success, long Fail, long Queue, long Input, long Infer, long Output, long Cache, string Batches);
