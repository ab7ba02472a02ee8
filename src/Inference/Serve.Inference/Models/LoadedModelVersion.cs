using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Serve.Inference.Analysis;
using Serve.Inference.Tensors;
using Serve.Replica.Batching;

namespace Serve.Inference.Models;

/// <summary>A loaded version of a model: its session, its batcher and its counters.</summary>
internal sealed class LoadedModelVersion(long number, OnnxModel model, RowIndependence rows, ModelVersionCounters counters, ModelBatchingConfigKey batching, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly ModelRunBatcher _runs = new(model, rows, counters, batching, time, logger);

    public long Number => number;

    /// <summary>Gets the number as text, as in the protocol.</summary>
    public string Name { get; } = number.ToString(CultureInfo.InvariantCulture);

    public OnnxModel Model => model;

    public ModelVersionCounters Counters => counters;

    /// <summary>Gets the number of requests that wait for a batch.</summary>
    public int Waiting => _runs.Waiting;

    /// <inheritdoc cref="ModelRunBatcher.RunAsync(InferenceRequest, CancellationToken)"/>
    public ValueTask<ModelOutputs> RunAsync(InferenceRequest request, CancellationToken cancellationToken) => _runs.RunAsync(request, cancellationToken);

    /// <inheritdoc cref="ModelRunBatcher.Apply"/>
    public void Apply(ModelBatchSettings settings) => _runs.Apply(settings);

    public ModelMetadata Describe(string name, ImmutableArray<string> versions) => new()
    {
        Name = name,
        Versions = versions,
        Inputs = [.. model.Inputs.Select(Describe)],
        Outputs = [.. model.Outputs.Select(Describe)],
        Properties = Properties(),
    };

    public ModelConfiguration Configure(string name)
    {
        var settings = batching.Settings;
        var isShared = _runs.IsJoining;
        return new()
        {
            Name = name,
            MaxBatchSize = isShared ? settings.Queue.MaxBatchSize : 0,
            Input = [.. model.Inputs.Select(input => Configure(input, isShared))],
            Output = [.. model.Outputs.Select(output => Configure(output, isShared))],
            DynamicBatching = isShared ? new((long)settings.Queue.WaitTimeout.TotalMicroseconds) : null,
        };
    }

    public void Dispose() => _runs.Dispose();

    private static TensorMetadata Describe(TensorSpec spec) => new(spec.Name, TensorTypes.NameOf(spec.Type), spec.Shape);

    private static TensorConfiguration Configure(TensorSpec spec, bool isShared) => new(
        spec.Name,
        "TYPE_" + (spec.Type == TensorType.String ? "STRING" : TensorTypes.NameOf(spec.Type)),
        isShared ? spec.Shape[1..] : spec.Shape);

    /// <summary>Gets why requests do not share runs and how to make them, if the user has not decided it; otherwise null.</summary>
    public string? BatchingNotice => !_runs.IsJoining && batching.Settings.Enabled is null && ModelRunBatcher.CanJoin(model, rows) && rows.Verdict != RowIndependenceVerdict.Proven
        ? $"requests to version {Name} are not batched: {rows.Reason}. If the rows are independent all the same, set user_config: {{batching: {{enabled: true}}}}"
        : null;

    private string DescribeBatching() =>
        _runs.IsJoining ? rows.Verdict == RowIndependenceVerdict.Proven ? "on: the rows are proven to be independent" : "on: enabled by the configuration"
        : batching.Settings.Enabled is false ? "off: disabled by the configuration"
        : !ModelRunBatcher.CanJoin(model, rows) ? "off: not every input and output has an open first dimension"
        : rows.Verdict == RowIndependenceVerdict.Proven ? "off: the outputs cannot be split" : $"off: {rows.Reason}. If the rows are independent all the same, set batching: {{enabled: true}}";

    private ImmutableSortedDictionary<string, string> Properties()
    {
        var info = model.Info;
        (string Key, string Value)[] known =
        [
            ("execution_provider", model.ExecutionProvider), ("graph", info.Graph), ("producer", info.Producer),
            ("description", info.Description), ("domain", info.Domain),
            ("model_version", info.Version == 0 ? "" : info.Version.ToString(CultureInfo.InvariantCulture)), ("batching", DescribeBatching()),
        ];
        var all = info.Metadata.ToImmutableSortedDictionary(StringComparer.Ordinal);
        return all.SetItems(known.Where(pair => pair.Value.Length > 0).Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
    }
}
