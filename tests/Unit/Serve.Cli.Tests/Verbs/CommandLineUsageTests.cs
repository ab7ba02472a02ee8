namespace Serve.Cli.Tests.Verbs;

public sealed class CommandLineUsageTests
{
    [Theory]
    [InlineData("nope", "unknown command 'nope'")]
    [InlineData("stauts", "did you mean 'status'?")]
    [InlineData("stat", "did you mean 'status'?")]
    [InlineData("start --http-prt 1", "unknown option '--http-prt'; did you mean '--http-port'?")]
    [InlineData("deploy X.cs --frobnicate 1 2", "unknown option '--frobnicate'.")]
    [InlineData("start --request-timeout-s 0", "--request-timeout-s must be a positive number of seconds, but was '0'")]
    [InlineData("start --max-request-body-bytes 1MB", "--max-request-body-bytes must be a positive number of bytes, but was '1MB'")]
    [InlineData("deploy", "TARGET")]
    [InlineData("scale counter 3", "expected APP/DEPLOYMENT")]
    [InlineData("scale counter/Counter many", "N must be a number of replicas, but was 'many'")]
    [InlineData("scale counter/Counter -1", "-1")]
    [InlineData("deploy X.cs --canary 101%", "--canary must be a percent from 0 to 100, but was '101%'")]
    [InlineData("deploy X.cs --canary NaN", "--canary must be a percent from 0 to 100, but was 'NaN'")]
    [InlineData("deploy X.cs --shadow some", "--shadow must be a percent from 0 to 100, but was 'some'")]
    [InlineData("canary counter -1", "PERCENT must be a percent from 0 to 100, but was '-1'")]
    [InlineData("canary counter", "PERCENT is missing")]
    [InlineData("promote", "APP is missing")]
    [InlineData("logs a/b/c/d", "expected APP, APP/DEPLOYMENT")]
    [InlineData("logs a --tail -1", "0 or more")]
    [InlineData("status --address ftp://x", "--address must be a URL like http://127.0.0.1:8265, but was 'ftp://x'")]
    [InlineData("status --token-file /does/not/exist", "/does/not/exist")]
    [InlineData("deploy X.cs --isolation most", "--isolation must be none, application or replica, but was 'most'")]
    [InlineData("deploy X.cs --timeout -1", "0 or more")]
    [InlineData("build X.cs", "--output")]
    [InlineData("start --http-port x", "--http-port must be 0 to 65535, but was 'x'")]
    [InlineData("start --admin-port 65536", "--admin-port must be 0 to 65535, but was '65536'")]
    [InlineData("deploy X.cs --timeout soon", "--timeout must be a number of seconds, 0 or more, but was 'soon'")]
    [InlineData("logs a --tail all", "--tail must be 0 or more lines, but was 'all'")]
    [InlineData("list tasks --limit 10001", "--limit must be 1 to 10000, but was '10001'")]
    [InlineData("list tasks --limit all", "--limit must be 1 to 10000, but was 'all'")]
    [InlineData("start --node-name a/b", "--node-name 'a/b' must start with a letter or a digit")]
    [InlineData("start --num-cpus -1", "--num-cpus must be a number, 0 or more, but was '-1'")]
    [InlineData("start --num-cpus NaN", "--num-cpus must be a number, 0 or more, but was 'NaN'")]
    [InlineData("start --num-gpus 0.5", "--num-gpus must be an integer, 0 or more, but was '0.5'")]
    [InlineData("start --memory -1", "--memory must be a number of bytes, 0 or more, but was '-1'")]
    [InlineData("start --memory 4GB", "--memory must be a number of bytes, 0 or more, but was '4GB'")]
    [InlineData("start --resource license", "--resource must be NAME=AMOUNT, for example license=2, but was 'license'")]
    [InlineData("start --resource license=-1", "--resource must be NAME=AMOUNT")]
    [InlineData("start --resource GPU=1", "--resource GPU is not allowed")]
    [InlineData("list", "KIND is missing")]
    [InlineData("list boats", "KIND must be tasks, actors, objects, workers, nodes or placement-groups, but was 'boats'.")]
    [InlineData("list tasks --limit 0", "1 to 10000")]
    [InlineData("list tasks --filter state", "FIELD=VALUE")]
    [InlineData("summary boats", "KIND must be tasks, actors or objects, but was 'boats'.")]
    [InlineData("list tasks --pid 1 --address x", "--pid cannot be combined with --address or --token-file")]
    [InlineData("memory --pid many", "--pid must be a process id, but was 'many'")]
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
