using System.Collections.Immutable;

namespace Serve.Replica.Tests.ModelServing;

/// <summary>A model whose outputs are its inputs, each under its name with <c>_out</c>; or what a test has it do.</summary>
internal sealed class FakeModel(string path, params IReadOnlyList<TensorSpec> inputs) : OnnxModel
{
    public override string Path => path;

    public override IReadOnlyList<TensorSpec> Inputs => inputs;

    public override IReadOnlyList<TensorSpec> Outputs { get; } = [.. inputs.Select(input => input with { Name = input.Name + "_out" })];

    public override string ExecutionProvider => "fake";

    public override OnnxModelInfo Info { get; } = new("graph", "tests", "", "", 0, ImmutableDictionary<string, string>.Empty);

    public Func<IReadOnlyList<NamedTensor>, IReadOnlyList<NamedTensor>>? Run { get; set; }

    public int Runs { get; private set; }

    public bool IsDisposed { get; private set; }

    public static TensorSpec Spec(string name, TensorType type, params long[] shape) => new(name, type, [.. shape]);

    /// <summary>One input and output of each type, of any length.</summary>
    public static FakeModel OfAllTypes() =>
        new("all.onnx", [.. Enum.GetValues<TensorType>().Select(type => Spec(TensorTypes.NameOf(type), type, -1))]);

    public override async ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        Runs++;
        await Task.Yield();
        var all = Run?.Invoke(inputs) ?? [.. inputs.Select(input => new NamedTensor(input.Name + "_out", input.Tensor))];
        return new([.. (outputs ?? [.. all.Select(each => each.Name)]).Select(name => all.First(each => each.Name == name))]);
    }

    protected override void Dispose(bool disposing) => IsDisposed = true;
}
