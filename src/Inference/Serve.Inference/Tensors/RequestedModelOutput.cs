namespace Serve.Inference.Tensors;

/// <summary>An output that a request selects.</summary>
/// <param name="Name">Name of the output.</param>
/// <param name="Binary">Whether it is returned as bytes; null for the default <c>binary_data_output</c> of the request.</param>
/// <param name="Classes">Number of its largest elements that replace the output; 0 for the output itself.</param>
internal readonly record struct RequestedModelOutput(string Name, bool? Binary, int Classes = 0);
