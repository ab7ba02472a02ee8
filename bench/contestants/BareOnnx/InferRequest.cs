/// <summary>What comes.</summary>
internal sealed record InferRequest(InputTensor[] Inputs);

/// <summary>An input; every model here takes floats.</summary>
internal sealed record InputTensor(string Name, long[] Shape, string Datatype, float[] Data);
