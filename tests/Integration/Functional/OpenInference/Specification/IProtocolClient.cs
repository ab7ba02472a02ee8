namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Client of the protocol, independent of the transport. A refused request throws <see cref="ProtocolErrorException"/>.</summary>
internal interface IProtocolClient
{
    Task<bool> IsLiveAsync();

    Task<bool> IsReadyAsync();

    Task<bool> IsModelReadyAsync(string model, string version = "");

    Task<(string Name, string Version, string[] Extensions)> DescribeServerAsync();

    Task<ProtocolModelMetadata> DescribeAsync(string model, string version = "");

    Task<ProtocolModelConfiguration> ConfigureAsync(string model, string version = "");

    /// <summary>Runs an inference.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="outputs">The requested outputs, each with an optional number of classes after a colon; none for all.</param>
    /// <param name="version">The version; empty for the highest.</param>
    /// <param name="id">The request's id; empty for none.</param>
    /// <param name="parameters">Parameters of the request, of its first input and of its outputs: strings, whole numbers or booleans.</param>
    Task<ProtocolAnswer> InferAsync(
        string model, ProtocolInput[] inputs, string[]? outputs = null, string version = "", string id = "", IReadOnlyDictionary<string, object>? parameters = null);

    Task<string[]> IndexAsync(bool? ready = null);

    Task LoadAsync(string model, IReadOnlyDictionary<string, string>? parameters = null);

    Task UnloadAsync(string model, bool? dependents = null);

    Task<IReadOnlyList<ProtocolModelCounts>> CountAsync(string model = "", string version = "");
}
