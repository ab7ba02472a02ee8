using System.Buffers;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Memory of a tensor that ONNX Runtime allocated. Keeps the native tensor alive while the memory is referenced.</summary>
internal sealed unsafe class OnnxTensorMemory<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly OrtValue _value;
    private readonly int _length;
    private void* _data;

    public OnnxTensorMemory(OrtValue value, int length)
    {
        (_value, _length) = (value, length);
        fixed (byte* start = value.GetTensorMutableRawData())
            _data = start;
    }

    public override Span<T> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_data is null && _length > 0, typeof(ModelOutputs));
        return new(_data, _length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_data is null && _length > 0, typeof(ModelOutputs));
        return new((T*)_data + elementIndex, pinnable: this);
    }

    // The handle references this object, and thereby keeps the native tensor alive.
    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        _data = null;
        _value.Dispose();
    }
}
