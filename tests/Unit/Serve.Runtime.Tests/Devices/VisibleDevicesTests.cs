using Serve.Runtime.Devices;

namespace Serve.Runtime.Tests.Devices;

/// <summary>CUDA's rules for <c>CUDA_VISIBLE_DEVICES</c>, over a machine of three devices.</summary>
public sealed class VisibleDevicesTests
{
    [Theory]
    [InlineData(null, "a b c")]
    [InlineData("", "")]
    [InlineData("2,0", "c a")]
    [InlineData(" 1 , 2 ", "b c")]
    [InlineData("GPU-1bbb", "b")]
    [InlineData("gpu-1bbb", "")]
    [InlineData("GPU-2", "c")]
    [InlineData("0,3,1", "a")]
    [InlineData("-1,0", "")]
    [InlineData("1,1,2", "b")]
    [InlineData("GPU-1,0", "")]
    [InlineData("0,NoDevFiles", "a")]
    public void Read_Variable_IsWhatCudaSees(string? variable, string expected)
    {
        var seen = new VisibleDevices(new Machine(), variable).Read();
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), seen.Select(device => device.Name));
        Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(device => device.Id));
    }

    private sealed class Machine : IGpuDevices
    {
        public IReadOnlyList<GpuDevice> Read() => [new(0, "GPU-1aaa", "a", 1, 0, null), new(1, "GPU-1bbb", "b", 1, 0, null), new(2, "GPU-2ccc", "c", 1, 0, null)];
    }
}
