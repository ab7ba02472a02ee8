using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>State directories that cannot be used: said plainly, nothing overwritten.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class StateDirectoryFunctionalTests
{
    [Fact]
    public async Task Start_StateDirectoryIsAFileOrBelowOne_SaysSo()
    {
        using var scratch = new ScratchDirectory();
        var file = scratch.Write("file", "mine");
        foreach (var path in new[] { file, Path.Combine(file, "below"), "/proc/serve-state" })
        {
            var (code, _, errors) = await StartAsync(scratch, path);
            Assert.Equal(1, code);
            Assert.Contains("--state-dir", errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        }

        Assert.Equal("mine", await File.ReadAllTextAsync(file));
    }

    private static Task<(int Code, string Output, string Errors)> StartAsync(ScratchDirectory scratch, string state) =>
        ServeCliProcess.RunAsync(scratch, "start", "--http-port", "0", "--admin-port", "0", "--state-dir", state);
}
