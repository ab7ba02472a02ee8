namespace Serve.Inference.Tensors;

/// <summary>An output that a request asks for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Binary">Whether it is wanted as bytes; null when the request leaves that to its own <c>binary_data_output</c>.</param>
/// <param name="Classes">How many of its largest elements are wanted in its place; 0 for the output itself.</param>
internal readonly record struct RequestedModelOutput(string Name, bool? Binary, int Classes = 0);
