namespace Serve.Runtime.Devices;

/// <summary>The devices of this machine.</summary>
public interface IGpuDevices
{
    /// <summary>All of them as they are now; none where there is no driver.</summary>
    IReadOnlyList<GpuDevice> Read();
}
