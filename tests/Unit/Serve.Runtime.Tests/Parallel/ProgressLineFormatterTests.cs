using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Parallel;

namespace Serve.Runtime.Tests.Parallel;

public sealed class ProgressLineFormatterTests
{
    [Fact]
    public void Format_HalfDone_ShowsShareRateAndTimeLeft() => Assert.Equal(
        "Map  50 % ━━━━━━━━━━━━━━━───────────────  500,000/1,000,000  50.0 k/s  0:10 left",
        ProgressLineFormatter.Format("Map", 500_000, 1_000_000, TimeSpan.FromSeconds(10), 120));

    [Fact]
    public void Format_AllDone_ShowsDuration() => Assert.Equal(
        "Map 100 % ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  10/10  0.10/s  in 1:40",
        ProgressLineFormatter.Format("Map", 10, 10, TimeSpan.FromSeconds(100), 120));

    [Fact]
    public void Format_UnknownTotal_ShowsCount() => Assert.Equal(
        "Rows  1,234  617/s  in 0:02", ProgressLineFormatter.Format("Rows", 1234, null, TimeSpan.FromSeconds(2), 120));

    [Fact]
    public void Format_NarrowTerminal_OmitsBarAndNeverWraps()
    {
        var line = ProgressLineFormatter.Format("Map", 500_000, 1_000_000, TimeSpan.FromSeconds(10), 30);

        Assert.Equal(30, line.Length);
        Assert.DoesNotContain('━', line);
    }

    [Fact]
    public void Format_NothingDone_ShowsNoEstimate() => Assert.EndsWith(
        "0/10  0.00/s  ?:?? left", ProgressLineFormatter.Format("Map", 0, 10, TimeSpan.FromSeconds(1), 120), StringComparison.Ordinal);

    [Fact]
    public void Bar_FastWork_ShowsNothing()
    {
        var clock = new FakeTimeProvider();
        using var output = new StringWriter();

        using (new ConsoleProgressBar("Map", 10, () => 10, output, () => 120, clock))
            clock.Advance(TimeSpan.FromMilliseconds(400));

        Assert.Equal("", output.ToString());
    }

    [Fact]
    public void Bar_LongWork_RedrawsAndTerminatesLine()
    {
        var clock = new FakeTimeProvider();
        using var output = new StringWriter();
        var done = 0L;

        using (new ConsoleProgressBar("Map", 10, () => done, output, () => 120, clock))
        {
            clock.Advance(TimeSpan.FromMilliseconds(500));
            done = 5;
            clock.Advance(TimeSpan.FromMilliseconds(100));
            done = 10;
        }

        var drawn = output.ToString().Split('\r', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, drawn.Length);
        Assert.Contains("  0 %", drawn[0], StringComparison.Ordinal);
        Assert.Contains(" 50 %", drawn[1], StringComparison.Ordinal);
        Assert.Contains("100 %", drawn[2], StringComparison.Ordinal);
        Assert.EndsWith(Environment.NewLine, drawn[2], StringComparison.Ordinal);
    }
}
