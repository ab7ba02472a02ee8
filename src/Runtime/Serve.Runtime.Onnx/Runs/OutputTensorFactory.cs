using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Creates output tensors: over memory that ONNX Runtime allocated, or over pinned memory that it fills.</summary>
internal static class OutputTensorFactory
{
    /// <summary>Creates a tensor over a value's memory; strings are copied.</summary>
    /// <param name="type">Element type.</param>
    /// <param name="value">The value; the tensor keeps it alive.</param>
    /// <param name="memory">Releases the value.</param>
    public static Tensor Over(TensorType type, OrtValue value, out IDisposable memory)
    {
        var info = value.GetTensorTypeAndShape();
        if (type == TensorType.String)
        {
            memory = value;
            return new Tensor<string>(value.GetStringTensorAsArray(), info.Shape);
        }

        (var tensor, memory) = TensorTypes.Dispatch<NativeOperation, (Tensor, IDisposable)>(type, new(value, checked((int)info.ElementCount), info.Shape));
        return tensor;
    }

    /// <summary>Creates a tensor over new pinned memory, and the value through which ONNX Runtime writes it. Not for strings.</summary>
    public static (Tensor Tensor, OrtValue Value) Pinned(TensorType type, long[] shape) =>
        TensorTypes.Dispatch<PinnedOperation, (Tensor Tensor, OrtValue Value)>(type, new(type, shape));

    /// <summary>Copies a tensor.</summary>
    public static Tensor Copy(Tensor tensor)
    {
        var shape = tensor.Shape.ToArray();
        return tensor is Tensor<string> texts ? Tensor.Of(texts.ToArray<string>()).Reshape(shape) : Tensor.FromBytes(tensor.Type, tensor.Bytes.ToArray(), shape);
    }

    private static unsafe (Tensor Tensor, OrtValue Value) Pinned<T>(TensorType type, long[] shape)
        where T : unmanaged
    {
        var length = 1L;
        foreach (var each in shape)
            length = checked(length * each);
        var data = GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);
        fixed (T* start = data)
        {
            var value = OrtValue.CreateTensorValueWithData(
                OrtMemoryInfo.DefaultInstance, OnnxElementTypes.Of(type), shape, (nint)start, length * sizeof(T));
            return (new Tensor<T>(data, shape), value);
        }
    }

    private readonly struct NativeOperation(OrtValue value, int length, long[] shape) : ITensorOperation<(Tensor, IDisposable)>
    {
        public (Tensor, IDisposable) Invoke<T>()
            where T : unmanaged
        {
            var native = new OnnxTensorMemory<T>(value, length);
            return (new Tensor<T>(native.Memory, shape), native);
        }
    }

    private readonly struct PinnedOperation(TensorType type, long[] shape) : ITensorOperation<(Tensor Tensor, OrtValue Value)>
    {
        public (Tensor Tensor, OrtValue Value) Invoke<T>()
            where T : unmanaged => Pinned<T>(type, shape);
    }
}
