using System.Diagnostics;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The first examples of Core, each run with the one command that its first lines name.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class CoreSamplesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("01-map.cs", "the results are the same", "ray.Map ", "x faster on")]
    [InlineData("02-tree-reduce.cs", "100 tasks and 99 aggregations in", "the sum is right")]
    [InlineData("03-get-loop-vs-batch.cs", "Get in a loop:  2.", "one Get of all: 0.", "[0, 1, 4, 9]")]
    [InlineData("04-large-array.cs", "by value:", "by Put  :", "Put alone took")]
    [InlineData("05-put-get.cs", "example")]
    [InlineData("06-counter.cs", "1, 3, 6, 10, 15", "the counter stands at 15")]
    [InlineData("07-slots.cs", "8 calls ended after 0.", "8 calls ended after 1.", "24 calls in 1.")]
    [InlineData("08-shutdown.cs", "worker processes ran tasks", "nothing is left")]
    public async Task Sample_RunWithOneCommand_ShowsWhatItSays(string file, params string[] shown)
    {
        // A folder of its own, since one of them tells what it leaves behind there.
        using var scratch = new Scratch();
        var start = new ProcessStartInfo("dotnet", ["run", "-c", "Release", $"samples/core/{file}"])
        {
            WorkingDirectory = Repository(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0", ["TMPDIR"] = scratch.Temporary },
        };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        using var kill = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");
        Assert.All(shown, text => Assert.Contains(text, output, StringComparison.Ordinal));
        Assert.DoesNotContain("WRONG", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_EachIsTested() => Assert.Equal(
        Directory.GetFiles(Path.Combine(Repository(), "samples", "core"), "*.cs").Select(Path.GetFileName).Order(),
        typeof(CoreSamplesTests).GetMethod(nameof(Sample_RunWithOneCommand_ShowsWhatItSays))!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Cast<InlineDataAttribute>().Select(data => (string)data.GetData(null!).Single()[0]).Order());

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serve.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }
}
