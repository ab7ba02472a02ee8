using Serve.Gateway.Listening;

namespace Serve.Gateway.Tests;

public sealed class DescriptorBudgetTests
{
    [Theory]
    [InlineData("Max open files            1024                 4096                 files     ", 1024)]
    [InlineData("Max open files            1048576              1048576              files     ", 1048576)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             1024                 1024                 processes ", null)]
    public void Parse_LinesOfTheKernel_ReadsTheSoftLimit(string line, int? limit) =>
        Assert.Equal(limit, DescriptorBudget.Parse(["Limit                     Soft Limit           Hard Limit           Units     ", line])?.Limit);

    // Every client connection may need a second descriptor, and the node itself needs the rest.
    [Theory]
    [InlineData(256, 16)]
    [InlineData(512, 32)]
    [InlineData(1024, 288)]
    [InlineData(65536, 32544)]
    public void MaxConnections_AnyLimit_LeavesAReserve(int limit, int expected) => Assert.Equal(expected, new DescriptorBudget(limit).MaxConnections);

    [Fact]
    public void OfProcess_Linux_IsKnown() => Assert.True(!OperatingSystem.IsLinux() || DescriptorBudget.OfProcess is null or { Limit: > 0 });
}
