using Serve.Replica.Batching;
using Serve.Runtime;

namespace Serve.Replica.Instances;

/// <summary>A deployment class of the platform that batches its requests itself, outside of methods with <see cref="BatchAttribute"/>.</summary>
public interface IBuiltInDeployment
{
    /// <summary>Gets the name of the batched function in metrics and logs.</summary>
    string BatchFunction { get; }

    /// <summary>Gets the key of <c>user_config</c> that configures the batches.</summary>
    IUserConfigKey BatchingKey { get; }

    /// <summary>Gets the maximum batch size; null while batching is disabled.</summary>
    int? MaxBatchSize { get; }

    /// <summary>Gets the number of requests that wait for a batch.</summary>
    int QueueLength { get; }

    /// <summary>Gets human-readable facts for the operator.</summary>
    IReadOnlyList<string> Notices { get; }

    /// <summary>Connects the instance with its replica, before the first request.</summary>
    /// <param name="observer">Receives each batch.</param>
    /// <param name="gate">Admits the replica's callers; no batch waits for more callers than it admits.</param>
    void Attach(IBatchQueueObserver observer, ConcurrencyLimiter gate);
}

/// <summary>The class that serves packages without an assembly, whatever class a checkpoint of an earlier version names.</summary>
public sealed record BuiltInDeploymentClass(Type Type);
