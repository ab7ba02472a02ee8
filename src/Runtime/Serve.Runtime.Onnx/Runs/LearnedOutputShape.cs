namespace Serve.Runtime.Onnx.Runs;

/// <summary>Type and shape of an output in the last run with inputs of the same shapes.</summary>
internal readonly record struct LearnedOutputShape(TensorType Type, long[] Shape);
