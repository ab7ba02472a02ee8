using System.Collections.Immutable;

namespace Serve.Inference.Tests;

/// <summary>A model that returns its inputs as outputs with the suffix <c>_out</c>, or runs a test's delegate.</summary>
internal sealed class FakeOnnxModel(string path, params IReadOnlyList<TensorSpec> inputs) : OnnxModel
{
    private readonly IReadOnlyList<TensorSpec> _outputs = [.. inputs.Select(input => input with { Name = input.Name + "_out" })];
    private int _runs;
    private int _lent;

    public override string Path => path;

    public override IReadOnlyList<TensorSpec> Inputs => inputs;

    public override IReadOnlyList<TensorSpec> Outputs => _outputs;

    /// <summary>Outputs other than one per input.</summary>
    public IReadOnlyList<TensorSpec> DeclaredOutputs { init => _outputs = value; }

    public override string ExecutionProvider => "fake";

    public override OnnxModelInfo Info { get; } = new("graph", "tests", "", "", 0, ImmutableDictionary<string, string>.Empty);

    public Func<IReadOnlyList<NamedTensor>, IReadOnlyList<NamedTensor>>? Run { get; set; }

    /// <summary>Delays each run.</summary>
    public Func<Task>? Before { get; set; }

    public int Runs => _runs;

    /// <summary>Token of the last run.</summary>
    public CancellationToken LastToken { get; private set; }

    /// <summary>Number of runs whose outputs have not been disposed.</summary>
    public int UnreturnedOutputs => _lent;

    public bool IsDisposed { get; private set; }

    public static TensorSpec Spec(string name, TensorType type, params long[] shape) => new(name, type, [.. shape]);

    /// <summary>A model with an input and an output of each datatype, of any length.</summary>
    public static FakeOnnxModel OfAllTypes() =>
        new("all.onnx", [.. Enum.GetValues<TensorType>().Select(type => Spec(TensorTypes.NameOf(type), type, -1))]);

    public override async ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        LastToken = cancellationToken;
        Interlocked.Increment(ref _runs);
        await Task.Yield();
        if (Before is { } before)
            await before().WaitAsync(cancellationToken);
        var all = Run?.Invoke(inputs) ?? [.. inputs.Select(input => new NamedTensor(input.Name + "_out", input.Tensor))];
        Interlocked.Increment(ref _lent);
        return new([.. (outputs ?? [.. all.Select(each => each.Name)]).Select(name => all.First(each => each.Name == name))], new OutputLease(() => Interlocked.Decrement(ref _lent)));
    }

    protected override void Dispose(bool disposing) => IsDisposed = true;

    private sealed class OutputLease(Action back) : IDisposable
    {
        public void Dispose() => back();
    }
}
