namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>The protocol, whatever the transport. A request that is refused throws <see cref="ProtocolErrorException"/>.</summary>
internal interface IProtocolClient
{
    Task<bool> IsLiveAsync();

    Task<bool> IsReadyAsync();

    Task<bool> IsModelReadyAsync(string model, string version = "");

    Task<(string Name, string Version, string[] Extensions)> DescribeServerAsync();

    Task<ProtocolModelMetadata> DescribeAsync(string model, string version = "");

    Task<ProtocolModelConfiguration> ConfigureAsync(string model, string version = "");

    /// <summary>Asks a model.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="outputs">The outputs asked for, each with the classes asked for after a colon or without; none for all.</param>
    /// <param name="version">The version; empty for the server's choice.</param>
    /// <param name="id">The request's id; empty for none.</param>
    /// <param name="parameters">Parameters of the request, of its first input and of its outputs: strings, whole numbers or booleans.</param>
    Task<ProtocolAnswer> InferAsync(
        string model, ProtocolInput[] inputs, string[]? outputs = null, string version = "", string id = "", IReadOnlyDictionary<string, object>? parameters = null);

    Task<string[]> IndexAsync(bool? ready = null);

    Task LoadAsync(string model, IReadOnlyDictionary<string, string>? parameters = null);

    Task UnloadAsync(string model, bool? dependents = null);

    Task<IReadOnlyList<ProtocolModelCounts>> CountAsync(string model = "", string version = "");
}
