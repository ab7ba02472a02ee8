namespace Serve.Cli.Tests.Verbs;

public sealed class CommandLineUsageTests
{
    [Theory]
    [InlineData("nope", "nope")]
    [InlineData("deploy", "TARGET")]
    [InlineData("scale counter 3", "expected APP/DEPLOYMENT")]
    [InlineData("scale counter/Counter many", "N many: expected a number of replicas")]
    [InlineData("scale counter/Counter -1", "-1")]
    [InlineData("logs a/b/c/d", "expected APP, APP/DEPLOYMENT")]
    [InlineData("logs a --tail -1", "0 or more")]
    [InlineData("status --address ftp://x", "is not an address")]
    [InlineData("status --token-file /does/not/exist", "/does/not/exist")]
    [InlineData("deploy X.cs --isolation most", "--isolation most: expected none, application or replica")]
    [InlineData("deploy X.cs --timeout -1", "0 or more")]
    [InlineData("build X.cs", "--output")]
    [InlineData("start --http-port x", "--http-port x: expected 0 to 65535")]
    [InlineData("start --admin-port 65536", "--admin-port 65536: expected 0 to 65535")]
    [InlineData("deploy X.cs --timeout soon", "--timeout soon: expected seconds, 0 or more")]
    [InlineData("logs a --tail all", "--tail all: expected 0 or more lines")]
    [InlineData("list tasks --limit 10001", "--limit 10001: expected 1 to 10000")]
    [InlineData("list tasks --limit all", "--limit all: expected 1 to 10000")]
    [InlineData("start --num-cpus -1", "--num-cpus -1: expected a number, 0 or more")]
    [InlineData("start --num-cpus NaN", "--num-cpus NaN: expected a number")]
    [InlineData("start --num-gpus 0.5", "--num-gpus 0.5: expected a whole number, 0 or more")]
    [InlineData("start --memory -1", "--memory -1: expected bytes, 0 or more")]
    [InlineData("start --memory 4GB", "--memory 4GB: expected bytes")]
    [InlineData("start --resource licence", "--resource licence: expected NAME=AMOUNT")]
    [InlineData("start --resource licence=-1", "expected NAME=AMOUNT")]
    [InlineData("start --resource GPU=1", "GPU has an option of its own")]
    [InlineData("list", "KIND is missing")]
    [InlineData("list boats", "boats")]
    [InlineData("list tasks --limit 0", "1 to 10000")]
    [InlineData("list tasks --filter state", "FIELD=VALUE")]
    [InlineData("summary boats", "boats")]
    [InlineData("list tasks --pid 1 --address x", "give one of them")]
    [InlineData("memory --pid many", "--pid many: expected a process id")]
    public async Task RunAsync_WrongUsage_OneMessageAndCode2(string line, string expected)
    {
        var run = await CapturedCommandRun.OfAsync(line.Split(' '));

        Assert.Equal(CliExitCode.Usage, run.Code);
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
        var run = await CapturedCommandRun.OfAsync([.. line.Split(' '), "--address", "http://127.0.0.1:1"]);

        Assert.Equal(CliExitCode.NoNode, run.Code);
        Assert.Contains("serve start", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_NoArguments_Help()
    {
        var run = await CapturedCommandRun.OfAsync();

        Assert.Equal(CliExitCode.Ok, run.Code);
        Assert.Contains("deploy <TARGET>", run.Out, StringComparison.Ordinal);
    }
}
