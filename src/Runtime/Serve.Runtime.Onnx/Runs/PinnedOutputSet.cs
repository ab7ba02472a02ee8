using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// Pooled memory for all outputs of one run, bound before the run. Consists of pinned arrays, so that a tensor that is still referenced after the set was
/// released remains valid.
/// </summary>
internal sealed class PinnedOutputSet : IDisposable
{
    private readonly RunShapeProfile _owner;

    public PinnedOutputSet(RunShapeProfile owner, IReadOnlyList<string> names, IReadOnlyList<LearnedOutputShape> outputs)
    {
        _owner = owner;
        Values = new OrtValue[outputs.Count];
        Tensors = new NamedTensor[outputs.Count];
        for (var index = 0; index < outputs.Count; index++)
        {
            var (tensor, value) = OutputTensorFactory.Pinned(outputs[index].Type, outputs[index].Shape);
            Values[index] = value;
            Tensors[index] = new(names[index], tensor);
            Size += tensor.Bytes.Length;
        }
    }

    public OrtValue[] Values { get; }

    public NamedTensor[] Tensors { get; }

    /// <summary>Size in bytes.</summary>
    public long Size { get; }

    /// <summary>Returns the set to the pool.</summary>
    public void Dispose() => _owner.Return(this);

    public void Release()
    {
        foreach (var value in Values)
            value.Dispose();
    }
}

/// <summary>Native output tensors of one run, released together.</summary>
internal sealed class AllocatedRunOutputs(IDisposable[] values) : IDisposable
{
    public void Dispose()
    {
        foreach (var value in values)
            value.Dispose();
    }
}

/// <summary>Type and shape of an output in the last run with inputs of the same shapes.</summary>
internal readonly record struct LearnedOutputShape(TensorType Type, long[] Shape);
