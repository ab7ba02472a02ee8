using System.Buffers;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Pooled native run options and input values. Used by one run at a time.</summary>
internal sealed class SessionRunBuffers(int inputs) : IDisposable
{
    private readonly MemoryHandle[] _pins = new MemoryHandle[inputs];
    private bool _terminated;

    // Errors are thrown; ONNX Runtime need not print them as well.
    public RunOptions Options { get; } = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    public OrtValue[] Inputs { get; } = new OrtValue[inputs];

    public void Bind(int index, Tensor tensor, long[] shape) => Inputs[index] = tensor is Tensor<string> texts ? Texts(texts, shape) : Pinned(index, tensor, shape);

    public void Terminate()
    {
        _terminated = true;
        Options.Terminate = true;
    }

    /// <summary>Releases the inputs of the run.</summary>
    public void Clear()
    {
        for (var index = 0; index < Inputs.Length; index++)
        {
            Inputs[index]?.Dispose();
            Inputs[index] = null!;
            _pins[index].Dispose();
            _pins[index] = default;
        }

        if (_terminated)
            Options.Terminate = _terminated = false;
    }

    public void Dispose() => Options.Dispose();

    private unsafe OrtValue Pinned(int index, Tensor tensor, long[] shape)
    {
        var pin = tensor.Pin();
        _pins[index] = pin;
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, OnnxElementTypes.Of(tensor.Type), shape, (nint)pin.Pointer, (long)tensor.Count * TensorTypes.SizeOf(tensor.Type));
    }

    private static OrtValue Texts(Tensor<string> tensor, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        var texts = tensor.Values.Span;
        for (var index = 0; index < texts.Length; index++)
            value.StringTensorSetElementAt(texts[index].AsSpan(), index);
        return value;
    }
}
