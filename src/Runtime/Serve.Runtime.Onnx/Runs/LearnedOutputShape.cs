namespace Serve.Runtime.Onnx.Runs;

/// <summary>What an output was in the last run on inputs of the same shapes.</summary>
internal readonly record struct LearnedOutputShape(TensorType Type, long[] Shape);
