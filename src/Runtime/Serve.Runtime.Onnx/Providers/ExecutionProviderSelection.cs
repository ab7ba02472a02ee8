namespace Serve.Runtime.Onnx.Providers;

/// <summary>An execution provider as a session is to use it.</summary>
/// <param name="Name"><c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, or a plug-in's file name.</param>
/// <param name="Device">Which device; 0 on the CPU.</param>
/// <param name="MemoryLimit">In bytes, of the device; null for none.</param>
/// <param name="Library">The plug-in's file; null for what ONNX Runtime has built in.</param>
internal sealed record ExecutionProviderSelection(string Name, int Device = 0, long? MemoryLimit = null, string? Library = null)
{
    public const string Cpu = "cpu";
    public const string Cuda = "cuda";
    public const string TensorRt = "tensorrt";

    public bool IsCpu => Name == Cpu;
}
