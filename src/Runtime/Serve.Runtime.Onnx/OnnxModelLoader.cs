using Microsoft.Extensions.Logging;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx;

/// <summary>Loads models for one replica. Holds no model: who loads one disposes of it.</summary>
/// <param name="place">Whose models, and what that one has of the machine.</param>
/// <param name="logger">Is told which provider was taken.</param>
public sealed class OnnxModelLoader(OnnxLoadContext place, ILogger logger) : IOnnxModels
{
    /// <inheritdoc/>
    public async Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        cancellationToken.ThrowIfCancellationRequested();
        var loader = new OnnxSessionLoader(options ?? new OnnxOptions(), place, logger);

        // Reads a large file, waits for others that load it and runs it: not on the thread pool.
        var loading = Task.Factory.StartNew(
            () => Load(loader, path), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!loading.IsCompleted)
        {
            // Nobody waits for it any more; what it loads goes as soon as it is there.
            _ = loading.ContinueWith(
                static loaded =>
                {
                    if (loaded.IsCompletedSuccessfully)
                        loaded.Result.Dispose();
                    else
                        _ = loaded.Exception;
                },
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private SharedSessionModel Load(OnnxSessionLoader loader, string path)
    {
        var found = Find(path);
        return new SharedSessionModel(found, loader.Load(found));
    }

    private string Find(string path)
    {
        var tried = place.Folders.Select(folder => Path.GetFullPath(path, folder)).Distinct(StringComparer.Ordinal).ToList();
        return tried.Find(File.Exists) ?? throw new InferenceException($"There is no model file {string.Join(", and none at ", tried)}.");
    }
}
