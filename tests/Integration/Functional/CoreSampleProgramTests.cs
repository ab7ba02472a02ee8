using System.Diagnostics;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The Core samples, each run with the command in its first lines.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class CoreSampleProgramTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("01-map.cs", """
        plain loop .* ms
        ray\.Map .* ms
        1000000 equal results, the last is 9999990
        1 us per element: .* x faster on \d+ CPUs
        (Python list comprehension .* ms
        Python Pool\.map .* ms|Python is not installed)
        """)]
    [InlineData("02-tree-reduce.cs", """
        100 tasks and 99 aggregations in .* ms
        the sum is right
        standard deviation 9\.9 of 1000 sums, .*
        """)]
    [InlineData("03-get-loop-vs-batch.cs", """
        Get in a loop:  ([2-9]|\d\d).* s  \[0, 1, 4, 9]
        one Get of all: [01]\..* s  \[0, 1, 4, 9]
        """)]
    [InlineData("04-large-array.cs", """
        Put alone took \d+ ms, the 20 tasks \d+ ms
        by Put  : .* ms, memory of all processes grew by +\d{1,3} MB
        by value: .* ms, memory of all processes grew by +\d{4,} MB
        """)]
    [InlineData("05-put-get.cs", "example")]
    [InlineData("06-counter.cs", """
        1, 3, 6, 10, 15
        the counter is 15
        """)]
    [InlineData("07-slots.cs", """
        24 calls in .* s
        round 1: 8 calls, ended after .* s
        round 2: 8 calls, ended after .* s
        round 3: 8 calls, ended after .* s
        """)]
    [InlineData("08-shutdown.cs", """
        [1-8] worker processes ran tasks; an actor and an endless task are running
        in use: \d+ x process, \d+ x segment, \d+ x file
        shut down in \d+ ms
        nothing is left
        the task failed with: [\s\S]+
        """)]
    public async Task Sample_Run_PrintsExpectedOutput(string file, string shown)
    {
        // A separate temporary folder, because one sample reports the files that it leaves there.
        using var scratch = new ScratchDirectory();
        var start = new ProcessStartInfo("dotnet", ["run", "-c", "Release", $"samples/core/{file}"])
        {
            WorkingDirectory = ServeExecutable.Root,
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
        Assert.Matches($"^{shown}$", output.TrimEnd());
    }

    [Fact]
    public void Samples_AllFiles_AreTested() => Assert.Equal(
        Directory.GetFiles(Path.Combine(ServeExecutable.Root, "samples", "core"), "*.cs").Select(Path.GetFileName).Order(),
        typeof(CoreSampleProgramTests).GetMethod(nameof(Sample_Run_PrintsExpectedOutput))!.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false)
            .Cast<InlineDataAttribute>().Select(data => (string)data.GetData(null!).Single()[0]).Order());
}
