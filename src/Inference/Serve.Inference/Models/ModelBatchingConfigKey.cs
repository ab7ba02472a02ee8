using System.Text.Json.Nodes;
using Serve.Replica.Batching;
using Serve.Replica.Instances;
using Serve.Runtime;

namespace Serve.Inference.Models;

/// <summary>The key <c>batching</c> of a model's <c>user_config</c>, and the state that the batchers of all versions share. Written by the replica, at its start and by a reconfiguration.</summary>
/// <param name="versions">Returns the loaded versions.</param>
internal sealed class ModelBatchingConfigKey(Func<IEnumerable<LoadedModelVersion>> versions) : IUserConfigKey
{
    private volatile ModelBatchSettings _settings = new();

    public ModelBatchSettings Settings => _settings;

    /// <summary>Gets the observer of batches; null if none is attached.</summary>
    public IBatchQueueObserver? Observer { get; private set; }

    /// <summary>Gets the gate that admits the callers; null if none is attached.</summary>
    public ConcurrencyLimiter? Gate { get; private set; }

    /// <summary>Gets the number of waiting requests of all versions.</summary>
    public int Length => versions().Sum(version => version.Waiting);

    /// <inheritdoc/>
    public string Name => BatchConfigParser.Key;

    /// <summary>Attaches the replica's metrics and gate.</summary>
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
