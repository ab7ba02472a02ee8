using System.Collections.Immutable;
using System.Globalization;
using Serve.Inference;
using Serve.Replica.ModelServing.Protocol;

namespace Serve.Replica.ModelServing;

/// <summary>One version of a model, loaded: what runs it, and what is counted of it.</summary>
internal sealed class ModelVersion(long number, OnnxModel model, ModelCounters counters, TimeProvider time) : IDisposable
{
    public long Number => number;

    /// <summary>The number as the protocol has it.</summary>
    public string Name { get; } = number.ToString(CultureInfo.InvariantCulture);

    public OnnxModel Model => model;

    public ModelCounters Counters => counters;

    /// <summary>Runs the model for a request that has been checked.</summary>
    public async ValueTask<ModelOutputs> RunAsync(InferRequest request, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var outputs = await model.RunAsync(request.Inputs, request.OutputNames(), cancellationToken);
        counters.Executed(request.BatchSize(model), requests: 1, TimeSpan.Zero, time.GetElapsedTime(started), TimeSpan.Zero);
        counters.Queue.Add(TimeSpan.Zero);
        return outputs;
    }

    public ModelMetadata Describe(string name, ImmutableArray<string> versions) => new()
    {
        Name = name,
        Versions = versions,
        Inputs = [.. model.Inputs.Select(Describe)],
        Outputs = [.. model.Outputs.Select(Describe)],
        Properties = Properties(),
    };

    public void Dispose() => model.Dispose();

    private static TensorMetadata Describe(TensorSpec spec) => new(spec.Name, TensorTypes.NameOf(spec.Type), spec.Shape);

    private ImmutableSortedDictionary<string, string> Properties()
    {
        var info = model.Info;
        (string Key, string Value)[] known =
        [
            ("execution_provider", model.ExecutionProvider), ("graph", info.Graph), ("producer", info.Producer),
            ("description", info.Description), ("domain", info.Domain),
            ("model_version", info.Version == 0 ? "" : info.Version.ToString(CultureInfo.InvariantCulture)),
        ];
        var all = info.Metadata.ToImmutableSortedDictionary(StringComparer.Ordinal);
        return all.SetItems(known.Where(pair => pair.Value.Length > 0).Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
    }
}
