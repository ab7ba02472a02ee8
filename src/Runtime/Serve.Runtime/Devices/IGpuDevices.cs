namespace Serve.Runtime.Devices;

/// <summary>The devices of this machine.</summary>
public interface IGpuDevices
{
    /// <summary>All of them as they are now; none where there is no driver.</summary>
    IReadOnlyList<GpuDevice> Read();

    /// <summary>The processes that use them now, those of others too; empty where the driver does not list them.</summary>
    IReadOnlyList<GpuProcess> ReadProcesses() => [];
}
