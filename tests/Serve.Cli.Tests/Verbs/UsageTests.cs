namespace Serve.Cli.Tests.Verbs;

public sealed class UsageTests
{
    [Theory]
    [InlineData("nope", "nope")]
    [InlineData("deploy", "TARGET")]
    [InlineData("scale counter 3", "expected APP/DEPLOYMENT")]
    [InlineData("scale counter/Counter many", "many")]
    [InlineData("logs a/b/c/d", "expected APP, APP/DEPLOYMENT")]
    [InlineData("logs a --tail -1", "0 or more")]
    [InlineData("status --address ftp://x", "is not an address")]
    [InlineData("status --token-file /does/not/exist", "/does/not/exist")]
    [InlineData("deploy X.cs --isolation most", "most")]
    [InlineData("deploy X.cs --timeout -1", "0 or more")]
    [InlineData("build X.cs", "--output")]
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
        Assert.Empty(run.Out);
        Assert.Single(run.Error.Split('\n'), text => text.StartsWith("serve: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("config")]
    [InlineData("shutdown")]
    [InlineData("delete counter")]
    public async Task RunAsync_NoNode_Code3AndWhatToDo(string line)
    {
        // Port 1 is reserved and nothing listens there.
        var run = await CommandRun.OfAsync([.. line.Split(' '), "--address", "http://127.0.0.1:1"]);

        Assert.Equal(ExitCode.NoNode, run.Code);
        Assert.Contains("serve start", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_NoArguments_Help()
    {
        var run = await CommandRun.OfAsync();

        Assert.Equal(ExitCode.Ok, run.Code);
        Assert.Contains("deploy <TARGET>", run.Out, StringComparison.Ordinal);
    }
}
