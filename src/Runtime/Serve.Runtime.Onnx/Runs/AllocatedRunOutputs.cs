namespace Serve.Runtime.Onnx.Runs;

/// <summary>Native output tensors of one run, released together.</summary>
internal sealed class AllocatedRunOutputs(IDisposable[] values) : IDisposable
{
    public void Dispose()
    {
        foreach (var value in values)
            value.Dispose();
    }
}
