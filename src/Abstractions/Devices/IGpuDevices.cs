namespace Serve.Devices;

/// <summary>The devices of this machine.</summary>
internal interface IGpuDevices
{
    /// <summary>All of them as they are now; none where there is no driver.</summary>
    IReadOnlyList<GpuDevice> Read();
}
