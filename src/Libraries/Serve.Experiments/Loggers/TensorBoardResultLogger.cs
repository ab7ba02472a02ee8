using System.Text.Json;

namespace Serve.Experiments.Loggers;

/// <summary>Writes an event file for TensorBoard: a scalar per metric, and the parameters for the HParams tab.</summary>
public sealed class TensorBoardResultLogger : ResultLogger
{
    private readonly TensorBoardEventWriter _writer;
    private readonly JsonElement _config;
    private bool _hasParameters;

    /// <summary>Creates a new event file in a folder.</summary>
    public TensorBoardResultLogger(string folder, JsonElement config, TimeProvider timeProvider)
    {
        _config = config;
        _writer = new TensorBoardEventWriter(folder, timeProvider);
    }

    /// <inheritdoc />
    public override void Log(TrialReported report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (!_hasParameters)
        {
            _writer.WriteParameters(_config, [.. report.Metrics.Keys.Select(Tag)]);
            _hasParameters = true;
        }

        _writer.WriteScalars(report.Iteration, [.. report.Metrics.Select(metric => (Tag(metric.Key), metric.Value))]);
    }

    /// <inheritdoc />
    public override void End(bool hasSucceeded)
    {
        if (_hasParameters)
            _writer.WriteSessionEnd(hasSucceeded);
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing) => _writer.Dispose();

    private static string Tag(string metric) => $"ray/tune/{metric}";
}
