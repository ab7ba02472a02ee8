using System.Text.Json.Nodes;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>User code runs with the machine's ICU in every isolation; without it, the node starts with a warning.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class GlobalizationFunctionalTests(SamplePackageFixture samples)
{
    private const string Warning = "Invariant globalization: ";

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task UserCode_MachineWithIcu_HasCulturesAndNormalization(IsolationMode isolation)
    {
        using var scratch = new ScratchDirectory { Launcher = ["env", "LANG=de_DE.UTF-8", "LC_ALL="] };
        await using var node = await TestNodeProcess.StartAsync(isolation, scratch);

        var answer = await CallAsync(node);

        Assert.Equal(
            IsIcuInstalled() ? """{"decomposed":2,"compatible":"fi","korean":"3월","current":""}""" : """{"decomposed":1,"compatible":"ﬁ","korean":"none","current":""}""",
            answer.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(!IsIcuInstalled(), node.Process.Errors.Contains(Warning, StringComparison.Ordinal));
    }

    [Fact]
    public async Task UserCode_IcuDisabled_NodeStartsWithOneWarning()
    {
        using var scratch = new ScratchDirectory { Launcher = ["env", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"] };
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application, scratch);

        Assert.Equal(1, (int)(await CallAsync(node))["decomposed"]!);

        Assert.Single(node.Process.Errors.Split('\n'), line => line.Contains(Warning, StringComparison.Ordinal));
        Assert.Contains("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 disables ICU.", node.Process.Errors, StringComparison.Ordinal);
    }

    private static bool IsIcuInstalled() => new[] { "/usr/lib", "/usr/lib64", "/lib" }.Where(Directory.Exists)
        .Any(folder => Directory.EnumerateFiles(folder, "libicuuc.so.*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true }).Any());

    private async Task<JsonNode> CallAsync(TestNodeProcess node)
    {
        await node.DeployAsync(samples.Unicode, new ApplicationConfig { Name = "unicode", RoutePrefix = "/unicode", ImportPath = "" });
        return JsonNode.Parse(await node.Gateway.GetStringAsync("/unicode"))!;
    }
}
