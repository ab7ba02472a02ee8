using Serve.Runtime.Devices;

namespace Serve.Runtime.Tests.Devices;

/// <summary>The driver's own library, where there is one.</summary>
public sealed class NvmlTests
{
    [Fact]
    public void TryOpen_NoSuchLibrary_IsNull() => Assert.Null(Nvml.TryOpen("libno-such-thing.so.1"));

    [Fact]
    public void TryOpen_AnotherLibrary_IsNull() => Assert.Null(Nvml.TryOpen(OperatingSystem.IsWindows() ? "kernel32.dll" : OperatingSystem.IsMacOS() ? "libSystem.dylib" : "libc.so.6"));

    [Fact]
    public void Read_ThisMachine_TellsOfDevicesThatMakeSense() => Assert.All(GpuDevices.Shared.Read(), device =>
    {
        Assert.InRange(device.UsedMemory, 0, device.TotalMemory);
        Assert.InRange(device.Utilization ?? 0, 0, 1);
        Assert.NotEmpty(device.Name);
    });
}
