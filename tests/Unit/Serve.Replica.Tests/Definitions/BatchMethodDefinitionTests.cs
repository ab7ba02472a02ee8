using Serve.Replica.Definitions;
using Serve.Replica.Tests.Fixtures;
using Serve.Specs;

namespace Serve.Replica.Tests.Definitions;

public sealed class BatchMethodDefinitionTests
{
    [Fact]
    public void Inspect_EveryMistake_IsReported()
    {
        var error = Assert.Throws<DefinitionException>(() => Inspect("""
            public class Base
            {
                [Batch] private int[] Deep(int[] a) => a;
            }

            [Deployment]
            public sealed class Wrong : Base
            {
                [Batch] public Task<int[]> NoList(int a) => null!;
                [Batch] public Task<int[]> Nothing(CancellationToken stop) => null!;
                [Batch] public Task<int> One(int[] a) => null!;
                [Batch] public Task NoResult(int[] a) => null!;
                [Batch] public IAsyncEnumerable<int[]> Bare(int[] a) => null!;
                [Batch(MaxBatchSize = 0, MaxConcurrentBatches = -1, BatchWaitTimeout = "soon")] public int[] Settings(int[] a) => a;
                [Batch(SizeMethod = "Nope")] public int[] NoSize(int[] a) => a;
                [Batch(SizeMethod = nameof(Length))] public int[] Size(int[] a) => a;
                [Batch, Blocking] public int[] Fine(int[] a) => a;
                [Batch(MaxConcurrentBatches = 2), Blocking] public int[] Both(int[] a) => a;
                [Batch] private int[] Hidden(int[] a) => a;
                [Batch] public void CheckHealth() { }
                private int Length(string text) => text.Length;
            }
            """));

        foreach (var expected in new[]
        {
            "Wrong.NoList has [Batch], but its parameter 'a' is not a list (Int32)",
            "Wrong.Nothing has [Batch] and 0 lists",
            "Wrong.One has [Batch] and returns",
            "Wrong.NoResult has [Batch] and returns Task:",
            "Wrong.Bare has [Batch] and returns",
            "Wrong.Settings: MaxBatchSize of [Batch] must be at least 1, not 0.",
            "Wrong.Settings: MaxConcurrentBatches of [Batch] must be at least 1, not -1.",
            "Wrong.Settings: BatchWaitTimeout of [Batch] must be a number with a unit, like \"5ms\", \"0.5s\" or \"200us\", not \"soon\".",
            "Wrong.NoSize: SizeMethod 'Nope' of [Batch] not found in the class. Declare int Nope(Int32).",
            "Wrong.Size: SizeMethod 'Length' of [Batch] must be int Length(Int32)",
            "Wrong.Both has [Blocking] and MaxConcurrentBatches = 2",
            "Wrong.Hidden has [Batch], but is not a public instance method",
            "Wrong.CheckHealth has [Batch], but is a hook",
            "Wrong.Deep has [Batch], but is not a public instance method",
        })
        {
            Assert.Contains(error.Errors, line => line.Contains(expected, StringComparison.Ordinal));
        }

        Assert.Equal(14, error.Errors.Count);
    }

    [Theory]
    [InlineData("[Batch(MaxBatchSize = 64, MaxConcurrentBatches = 2)]", "[Deployment]", 256)]
    [InlineData("[Batch(MaxBatchSize = 64)]", "[Deployment(MaxOngoingRequests = 5)]", 5)]
    [InlineData("[Batch(MaxBatchSize = 4)]", "[Deployment]", null)]
    [InlineData("[Batch(MaxBatchSize = 4096, SizeMethod = \"Size\")]", "[Deployment]", null)]
    [InlineData("[Batch(MaxBatchSize = 2147483647)]", "[Deployment]", 100_000)]
    public void Inspect_NoMaxOngoingRequests_DefaultFillsABatchWhileAnotherRuns(string batch, string deployment, int? expected)
    {
        var found = Inspect($$"""{{deployment}} public sealed class Labels { {{batch}} public int[] Call(int[] a) => a; private static int Size(int a) => a; }""");

        Assert.Equal(expected, Assert.Single(found.Deployments).Options.MaxOngoingRequests);
    }

    [Fact]
    public void Merge_MaxOngoingRequestsInFile_OverridesDefault()
    {
        var found = Inspect("[Deployment] public sealed class Labels { [Batch(MaxBatchSize = 64)] public int[] Call(int[] a) => a; }");

        Assert.Equal(8, DeploymentSpecResolver.Merge(found.Deployments[0].Options, new DeploymentOptions { Name = "Labels", MaxOngoingRequests = 8 }).MaxOngoingRequests);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("5ms", 5)]
    [InlineData("0.5 s", 500)]
    [InlineData("200us", 0.2)]
    [InlineData("1m", 60_000)]
    [InlineData("2h", 7_200_000)]
    public void DurationText_Readable_IsRead(string text, double milliseconds)
    {
        Assert.True(DurationTextFormat.TryParse(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("ms")]
    [InlineData("-5ms")]
    [InlineData("5 days")]
    [InlineData("25h")]
    [InlineData("1e3ms")]
    public void DurationText_Unreadable_IsNot(string? text) => Assert.False(DurationTextFormat.TryParse(text, out _));

    [Theory]
    [InlineData(2.5, "2.5 us")]
    [InlineData(1250, "1.25 ms")]
    [InlineData(1_500_000, "1.5 s")]
    [InlineData(3_723_000_000, "0.01:02:03")]
    public void DurationText_Of_AsPeopleReadIt(double microseconds, string text) => Assert.Equal(text, DurationTextFormat.Of(TimeSpan.FromMicroseconds(microseconds)));

    private static InspectedApplication Inspect(string source)
    {
        using var code = UserCode.Compile(source);
        return DeploymentInspector.Inspect(code.Assembly());
    }
}
