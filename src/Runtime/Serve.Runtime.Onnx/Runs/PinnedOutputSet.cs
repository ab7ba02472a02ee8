using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// Memory for everything that one run gives, bound to it before and used again after. Pinned arrays: whoever still has one of the tensors after the set is
/// forgotten has memory of .NET's own.
/// </summary>
internal sealed class PinnedOutputSet : IDisposable
{
    private readonly RunShapeProfile _owner;

    public PinnedOutputSet(RunShapeProfile owner, IReadOnlyList<string> names, IReadOnlyList<LearnedOutputShape> outputs)
    {
        this._owner = owner;
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

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>Gives it back for the next run.</summary>
    public void Dispose() => _owner.Return(this);

    public void Release()
    {
        foreach (var value in Values)
            value.Dispose();
    }
}
