namespace Serve.Cli.Tests.Verbs;

public sealed class ClusterVerbUsageTests
{
    [Theory]
    [InlineData("list", "KIND is missing")]
    [InlineData("list boats", "boats")]
    [InlineData("list tasks --limit 0", "1 to 10000")]
    [InlineData("list tasks --filter state", "FIELD=VALUE")]
    [InlineData("summary boats", "boats")]
    [InlineData("list tasks --pid 1 --address x", "give one of them")]
    [InlineData("memory --pid many", "many")]
    public async Task RunAsync_WrongUsage_OneMessageAndCode2(string line, string expected)
    {
        var run = await CommandRun.OfAsync(line.Split(' '));
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n'), text => text.StartsWith("serve: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("list tasks --address http://127.0.0.1:1", "Nothing answers at http://127.0.0.1:1.")]
    [InlineData("summary --address http://127.0.0.1:1", "Nothing answers")]
    [InlineData("memory --address http://127.0.0.1:1", "Nothing answers")]
    [InlineData("timeline --address http://127.0.0.1:1", "Nothing answers")]
    [InlineData("list tasks --pid 999999999", "Process 999999999 runs no cluster")]
    public async Task RunAsync_NothingThere_OneLineAndCode3(string line, string expected)
    {
        var run = await CommandRun.OfAsync(line.Split(' '));
        Assert.Equal(ExitCode.NoNode, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(run.Out);
    }
}
