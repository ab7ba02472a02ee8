using System.Text.Json.Nodes;
using Serve.Replica.Batching;
using Serve.Replica.Instances;
using Serve.Runtime;

namespace Serve.Inference.Models;

/// <summary>The key <c>batching</c> of a model's <c>user_config</c>, and what the versions' queues have in common. Written by the replica, when it starts and when it takes a <c>user_config</c>.</summary>
/// <param name="versions">Those that are loaded.</param>
internal sealed class ModelBatchingConfigKey(Func<IEnumerable<LoadedModelVersion>> versions) : IUserConfigKey
{
    private volatile ModelBatchSettings _settings = new();

    public ModelBatchSettings Settings => _settings;

    /// <summary>Told of each run; null when nobody counts them.</summary>
    public IBatchQueueObserver? Observer { get; private set; }

    /// <summary>What lets callers in; null when nobody knows.</summary>
    public ConcurrencyLimiter? Gate { get; private set; }

    /// <summary>How many requests wait, of all versions.</summary>
    public int Length => versions().Sum(version => version.Waiting);

    /// <inheritdoc/>
    public string Name => BatchConfigParser.Key;

    /// <summary>Has runs counted in the replica's metrics, and no request wait when nobody else can come.</summary>
    public void Attach(IBatchQueueObserver observer, ConcurrencyLimiter gate) => (Observer, Gate) = (observer, gate);

    /// <inheritdoc/>
    public Action Read(JsonNode? value)
    {
        var wanted = BatchConfigParser.ReadModel(value, new());
        return () =>
        {
            _settings = wanted;
            foreach (var version in versions())
                version.Apply(wanted);
        };
    }
}
