namespace Serve;

/// <summary>Loader of models, for deployments that choose them at run time: a constructor parameter. Models use the replica's devices and its share of threads.</summary>
public interface IOnnxModels
{
    /// <summary>Loads a model, or shares a loaded one with equal content and options.</summary>
    /// <param name="path">Path of the file. A relative path is searched in the application's package, then in the working directory.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The model. The caller disposes it.</returns>
    /// <exception cref="InferenceException">The file does not exist, is not an ONNX model, has an unsupported operator set or lacks external data (with ONNX Runtime's message), or the execution provider is not available.</exception>
    Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default);
}
