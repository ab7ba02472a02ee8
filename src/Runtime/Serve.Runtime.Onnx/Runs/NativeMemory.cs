using System.Buffers;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>A tensor that ONNX Runtime has allocated, seen as memory. Keeps the native tensor for as long as somebody has the memory.</summary>
internal sealed unsafe class NativeMemory<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly OrtValue value;
    private readonly int length;
    private void* data;

    public NativeMemory(OrtValue value, int length)
    {
        (this.value, this.length) = (value, length);
        fixed (byte* start = value.GetTensorMutableRawData())
            data = start;
    }

    public override Span<T> GetSpan()
    {
        ObjectDisposedException.ThrowIf(data is null && length > 0, typeof(ModelOutputs));
        return new(data, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(data is null && length > 0, typeof(ModelOutputs));
        return new((T*)data + elementIndex, pinnable: this);
    }

    // The handle refers to this object, and so keeps the native tensor.
    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        data = null;
        value.Dispose();
    }
}
