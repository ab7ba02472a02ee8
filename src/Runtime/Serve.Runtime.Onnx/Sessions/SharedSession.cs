using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Providers;
using Serve.Runtime.Onnx.Runs;
using Serve.Runtime.Onnx.Telemetry;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>A loaded session, which all equal models of this process run. Its <see cref="SessionCache"/> decides how long it lives.</summary>
internal sealed class SharedSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly SessionMetrics metrics;

    public SharedSession(InferenceSession session, ProviderUse provider, string name, int concurrentRuns)
    {
        (this.session, Provider) = (session, provider);
        Signature = ModelSignature.Of(session, name);
        Info = InfoOf(session);
        metrics = new SessionMetrics(name, provider.Name);
        Runner = new ModelRunner(session, Signature, concurrentRuns, name, metrics);
        metrics.Follow(this);
    }

    public ProviderUse Provider { get; }

    /// <summary>What its metrics carry.</summary>
    public (string Model, string Provider) Labels => metrics.Labels;

    public ModelSignature Signature { get; }

    public OnnxModelInfo Info { get; }

    public ModelRunner Runner { get; }

    /// <summary>What its arena holds; null where ONNX Runtime does not tell.</summary>
    public ArenaStatistics? ReadArena() => ArenaStatistics.Read(session);

    public void ObserveLoad(TimeSpan took) => metrics.ObserveLoad(took);

    /// <summary>Runs it on zeros, so that the first request does not pay for what is made at the first run.</summary>
    /// <param name="runs">How often.</param>
    public void WarmUp(int runs)
    {
        var inputs = Signature.Inputs.Select(input => new NamedTensor(input.Name, Zeros(input))).ToArray();
        for (var run = 0; run < runs; run++)
            Runner.Run(Runner.ShapeOf(inputs, null), inputs, CancellationToken.None).Dispose();
    }

    public void Dispose()
    {
        metrics.Dispose();
        Runner.Dispose();
        session.Dispose();
    }

    private static Tensor Zeros(TensorSpec input)
    {
        long[] shape = [.. input.Shape.Select(length => length < 0 ? 1 : length)];
        var count = shape.Aggregate(1L, (product, length) => product * length);
        return input.Type == TensorType.String
            ? new Tensor<string>(Enumerable.Repeat("", (int)count).ToArray(), shape)
            : Tensor.FromBytes(input.Type, new byte[checked((int)count * TensorTypes.SizeOf(input.Type))], shape);
    }

    private static OnnxModelInfo InfoOf(InferenceSession session)
    {
        var said = session.ModelMetadata;

        // ONNX Runtime gives the largest number where the file has none.
        return new(
            said.GraphName, said.ProducerName, said.Description, said.Domain, said.Version == long.MaxValue ? 0 : said.Version, said.CustomMetadataMap);
    }
}
