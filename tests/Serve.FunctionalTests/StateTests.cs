using Serve.FunctionalTests.Harness;

namespace Serve.FunctionalTests;

/// <summary>State directories that cannot be used: said plainly, nothing overwritten.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class StateTests
{
    [Fact]
    public async Task Start_LockedByAnotherNode_SaysSo()
    {
        await using var node = await TestNode.StartAsync();

        var (code, _, errors) = await StartAsync(node.Scratch, node.Scratch.In("state"));

        Assert.Equal(1, code);
        Assert.Contains("in use by another node", errors, StringComparison.Ordinal);
        Assert.Empty((await node.Admin.GetStatusAsync()).Applications);
    }

    [Fact]
    public async Task Start_DamagedDatabase_SaysSoAndLeavesItAlone()
    {
        using var scratch = new Scratch();
        Directory.CreateDirectory(scratch.In("state"));
        var database = scratch.Write("state/serve.db", new string('x', 8192));

        var (code, _, errors) = await StartAsync(scratch, scratch.In("state"));

        Assert.Equal(1, code);
        Assert.Contains("serve.db", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.Equal(new string('x', 8192), await File.ReadAllTextAsync(database));
    }

    [Fact]
    public async Task Start_StateDirectoryIsAFileOrBelowOne_SaysSo()
    {
        using var scratch = new Scratch();
        var file = scratch.Write("file", "mine");
        foreach (var path in new[] { file, Path.Combine(file, "below"), "/proc/serve-state" })
        {
            var (code, _, errors) = await StartAsync(scratch, path);
            Assert.Equal(1, code);
            Assert.Contains("--state-dir", errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        }

        Assert.Equal("mine", await File.ReadAllTextAsync(file));
    }

    private static Task<(int Code, string Output, string Errors)> StartAsync(Scratch scratch, string state) =>
        ServeProcess.RunAsync(scratch, "start", "--http-port", "0", "--admin-port", "0", "--state-dir", state);
}
