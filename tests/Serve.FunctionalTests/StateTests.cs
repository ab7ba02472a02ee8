using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>State directories that cannot be used: said plainly, nothing overwritten.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class StateTests
{
    [Fact]
    public async Task Start_StateDirectoryIsAFileOrBelowOne_SaysSo()
    {
        using var scratch = new Scratch();
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

    private static Task<(int Code, string Output, string Errors)> StartAsync(Scratch scratch, string state) =>
        ServeProcess.RunAsync(scratch, "start", "--http-port", "0", "--admin-port", "0", "--state-dir", state);
}
