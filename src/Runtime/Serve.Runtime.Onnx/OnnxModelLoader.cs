using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Execution;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx;

/// <summary>Loads ONNX models for one replica. The caller disposes of each model.</summary>
/// <param name="context">Folders and resources of the replica.</param>
/// <param name="logger">Log of the replica.</param>
public sealed class OnnxModelLoader(OnnxLoadContext context, ILogger logger) : IOnnxModels
{
    private readonly ConcurrentDictionary<string, string> _onCpu = new(StringComparer.Ordinal);

    /// <summary>Models that run on the CPU although the replica has a GPU, each with the reason; human-readable.</summary>
    public IReadOnlyList<string> Notices => [.. _onCpu.OrderBy(static model => model.Key, StringComparer.Ordinal).Select(static model => model.Value)];

    /// <inheritdoc/>
    public async Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        cancellationToken.ThrowIfCancellationRequested();
        if (context.Probe is { } probe)
            await probe.CheckAsync(Find(path), options ?? new OnnxOptions(), context, cancellationToken).ConfigureAwait(false);

        // Reads a large file, waits for other loads of it and runs the model: too long for the thread pool.
        var loading = new ModelLoad(this, new OnnxSessionLoader(options ?? new OnnxOptions(), context, logger), path);
        DedicatedThreadPool.Blocking.Start(loading);
        try
        {
            return await loading.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!loading.Task.IsCompleted)
        {
            // The load cannot be interrupted; its result is disposed as soon as it is there.
            _ = loading.Task.ContinueWith(
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

    private string Find(string path)
    {
        var tried = context.Folders.Select(folder => Path.GetFullPath(path, folder)).Distinct(StringComparer.Ordinal).ToList();
        return tried.Find(File.Exists) ?? throw new InferenceException($"Model file not found: {string.Join(", ", tried)}.");
    }

    private sealed class ModelLoad(OnnxModelLoader owner, OnnxSessionLoader loader, string path)
        : TaskCompletionSource<OnnxModel>(TaskCreationOptions.RunContinuationsAsynchronously), IThreadPoolWorkItem
    {
        public void Execute()
        {
            try
            {
                var found = owner.Find(path);
                var lease = loader.Load(found);
                if (loader.CpuNotice is { } notice)
                    owner._onCpu[found] = notice;
                SetResult(new SharedSessionModel(found, lease));
            }
            catch (Exception error)
            {
                SetException(error);
            }
        }
    }
}
