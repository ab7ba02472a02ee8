namespace Serve;

/// <summary>Loads models, for a deployment that chooses them itself: a constructor parameter. Gives them the replica's devices and share of threads.</summary>
public interface IOnnxModels
{
    /// <summary>Loads a model, or shares the one that is loaded already with equal content and options.</summary>
    /// <param name="path">The file; a relative one is looked for in the application's package, then in the working directory.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The model, to be disposed by who loaded it.</returns>
    /// <exception cref="InferenceException">No such file, no ONNX model, an operator set that is too new, external data that is missing: with ONNX Runtime's own message; or the provider is not there.</exception>
    Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default);
}
