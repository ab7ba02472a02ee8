namespace Serve.Runtime.Onnx.Providers;

/// <summary>An execution provider, with the settings for a session.</summary>
/// <param name="Name"><c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, or a plug-in's file name.</param>
/// <param name="Device">Device id; 0 for the CPU.</param>
/// <param name="MemoryLimit">Limit of device memory in bytes; null for none.</param>
/// <param name="Library">File of a plug-in; null for a built-in provider.</param>
internal sealed record ExecutionProviderSelection(string Name, int Device = 0, long? MemoryLimit = null, string? Library = null)
{
    public const string Cpu = "cpu";
    public const string Cuda = "cuda";
    public const string TensorRt = "tensorrt";

    public bool IsCpu => Name == Cpu;
}
