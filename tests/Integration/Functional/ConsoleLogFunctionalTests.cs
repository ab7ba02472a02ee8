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
    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Logs_ControlCharactersOfRequest_AreEscaped(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(samples.Chatty, new ApplicationConfig { Name = "chatty", RoutePrefix = "/chatty", ImportPath = "" });
        const string Forged = "2026-01-01 00:00:00.000 info forged";
        using var request = new HttpRequestMessage(HttpMethod.Get, "/chatty/forge?text=" + Uri.EscapeDataString($"a\n{Forged}\rb\u001b[31mc\u009b2Jd\u202ee"));
        // Latin-1 letters and controls of a header arrive as UTF-8.
        request.Headers.TryAddWithoutValidation("X-Text", "header\ttext");
        await node.Gateway.SendAsync(request);

        var seen = "";
        await Eventually.TrueAsync(
            async () => (seen = (await node.CliAsync("logs", "chatty")).Output).Contains("thrown a", StringComparison.Ordinal) && seen.Contains("console a", StringComparison.Ordinal),
            () => seen);

        Assert.Contains(@"called with a", seen, StringComparison.Ordinal);
        Assert.Contains(@"b\u001b[31mc\u009b2Jd\u202ee", seen, StringComparison.Ordinal);
        // Console.WriteLine makes a line of its own of each line break, as an entry of the log.
        Assert.DoesNotContain(seen.Split('\n'), line => line.StartsWith(Forged, StringComparison.Ordinal));
        Assert.DoesNotContain(seen, letter => (char.IsControl(letter) && letter is not ('\n' or '\t')) || letter == '\u202e');
    }
}
