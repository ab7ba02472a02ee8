using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>What user code writes past its log, and failures that it does not await, are in the log of the application.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class ConsoleLogFunctionalTests(SamplePackageFixture samples)
{
    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Logs_ConsoleAndUnobservedFailures_AreIncluded(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(samples.Chatty, new ApplicationConfig { Name = "chatty", RoutePrefix = "/chatty", ImportPath = "" });
        await node.Gateway.GetStringAsync("/chatty/console");
        List<string> wanted = ["a line on standard output", "a line on standard error", "a failure that nothing awaits"];
        if (isolation != IsolationMode.None)
        {
            await node.Gateway.GetStringAsync("/chatty/native");
            wanted.Add("a line of native code");
        }

        var seen = "";
        await Eventually.TrueAsync(
            async () =>
            {
                await node.Gateway.GetStringAsync("/chatty/forget");
                seen = (await node.CliAsync("logs", "chatty")).Output;
                return wanted.TrueForAll(line => seen.Contains(line, StringComparison.Ordinal));
            },
            () => seen);
    }
}
