using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Unusable state directories: a clear error, and no file is overwritten.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class StateDirectoryFunctionalTests
{
    [Fact]
    public async Task Start_StateDirectoryIsFile_ReportsError()
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
