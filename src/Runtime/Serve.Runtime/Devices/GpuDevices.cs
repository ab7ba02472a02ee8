namespace Serve.Runtime.Devices;

/// <summary>Which source of devices this process has.</summary>
public static class GpuDevices
{
    private static readonly Lazy<IGpuDevices> Found = new(static () =>
        Nvml.TryOpen() is { } nvml ? new VisibleDevices(nvml, Environment.GetEnvironmentVariable(VisibleDevices.Variable)) : new NoGpuDevices());

    public static IGpuDevices Shared => Found.Value;

    private sealed class NoGpuDevices : IGpuDevices
    {
        public IReadOnlyList<GpuDevice> Read() => [];
    }
}
