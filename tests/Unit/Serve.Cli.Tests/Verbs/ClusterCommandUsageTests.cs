namespace Serve.Cli.Tests.Verbs;

public sealed class ClusterCommandUsageTests
{
    [Theory]
    [InlineData("list tasks --address http://127.0.0.1:1", "No response from http://127.0.0.1:1.")]
    [InlineData("summary --address http://127.0.0.1:1", "No response")]
    [InlineData("memory --address http://127.0.0.1:1", "No response")]
    [InlineData("timeline --address http://127.0.0.1:1", "No response")]
    [InlineData("list tasks --pid 999999999", "Process 999999999 runs no observable cluster")]
    public async Task RunAsync_NothingThere_OneLineAndCode3(string line, string expected)
    {
        var run = await CapturedCommandRun.OfAsync(line.Split(' '));
        Assert.Equal(CliExitCode.NoNode, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Empty(run.Out);
    }
}
