namespace Serve.Runtime.Onnx.Runs;

/// <summary>The native tensors of one run, given back together.</summary>
internal sealed class AllocatedRunOutputs(IDisposable[] values) : IDisposable
{
    public void Dispose()
    {
        foreach (var value in values)
            value.Dispose();
    }
}
