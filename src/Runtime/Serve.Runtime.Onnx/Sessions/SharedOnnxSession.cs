using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Providers;
using Serve.Runtime.Onnx.Runs;
using Serve.Runtime.Onnx.Telemetry;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>A loaded session, shared by all equal models of this process; its <see cref="OnnxSessionCache"/> disposes it.</summary>
internal sealed class SharedOnnxSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OnnxSessionMetrics _metrics;

    // A scrape of metrics may read a session that is being disposed; the native library ends the process if it is used after that.
    private readonly Lock _reading = new();
    private bool _disposed;

    public SharedOnnxSession(InferenceSession session, ExecutionProviderSelection provider, string name, int concurrentRuns)
    {
        (_session, Provider) = (session, provider);
        Signature = OnnxModelSignature.Of(session, name);
        Info = InfoOf(session);
        _metrics = new OnnxSessionMetrics(name, provider.Name);
        Runner = new OnnxSessionRunner(session, Signature, concurrentRuns, name, _metrics);
        _metrics.Follow(this);
    }

    public ExecutionProviderSelection Provider { get; }

    /// <summary>Labels of its metrics.</summary>
    public (string Model, string Provider) Labels => _metrics.Labels;

    public OnnxModelSignature Signature { get; }

    public OnnxModelInfo Info { get; }

    public OnnxSessionRunner Runner { get; }

    /// <summary>Reads the memory use of its arena; null if ONNX Runtime does not report it, or if the session is disposed.</summary>
    public SessionArenaStatistics? ReadArena()
    {
        lock (_reading)
            return _disposed ? null : SessionArenaStatistics.Read(_session);
    }

    public void ObserveLoad(TimeSpan took) => _metrics.ObserveLoad(took);

    /// <summary>Runs the model on zeros, so that the first request does not pay for lazy initialization.</summary>
    /// <param name="runs">Number of runs.</param>
    public void WarmUp(int runs)
    {
        var inputs = ZeroTensors.Of(Signature.Inputs, rows: 1, others: 1);
        for (var run = 0; run < runs; run++)
            Runner.Run(Runner.ShapeOf(inputs, null), inputs, CancellationToken.None).Dispose();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        Runner.Dispose();
        lock (_reading)
        {
            _disposed = true;
            _session.Dispose();
        }
    }

    private static OnnxModelInfo InfoOf(InferenceSession session)
    {
        var said = session.ModelMetadata;

        // ONNX Runtime reports the largest number if the file states no version.
        return new(
            said.GraphName, said.ProducerName, said.Description, said.Domain, said.Version == long.MaxValue ? 0 : said.Version, said.CustomMetadataMap);
    }
}
