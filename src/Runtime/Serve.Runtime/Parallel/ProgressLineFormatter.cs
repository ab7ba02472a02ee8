using System.Globalization;

namespace Serve.Runtime.Parallel;

/// <summary>Formats the text of a progress bar.</summary>
internal static class ProgressLineFormatter
{
    private const int WidestBar = 30;

    public static string Format(string name, long done, long? total, TimeSpan elapsed, int columns)
    {
        var perSecond = elapsed > TimeSpan.Zero ? done / elapsed.TotalSeconds : 0;
        var count = total is { } all ? Invariant($"{done:N0}/{all:N0}") : Invariant($"{done:N0}");
        var right = $"{count}  {Rate(perSecond)}/s  {Time(done, total, elapsed, perSecond)}";
        if (total is not > 0)
            return Cut($"{name}  {right}", columns);
        var share = Math.Clamp((double)done / total.Value, 0, 1);
        var left = Invariant($"{name} {Math.Floor(share * 100),3:0} % ");
        var width = Math.Min(WidestBar, columns - left.Length - right.Length - 2);
        if (width < 5)
            return Cut($"{left} {right}", columns);
        var filled = (int)(share * width);
        return $"{left}{new string('━', filled)}{new string('─', width - filled)}  {right}";
    }

    /// <summary>Formats a rate with three digits and a unit: 999, 12.3 k, 1.20 M.</summary>
    internal static string Rate(double perSecond)
    {
        var (value, unit) = perSecond switch
        {
            >= 999.5e6 => (perSecond / 1e9, " G"),
            >= 999.5e3 => (perSecond / 1e6, " M"),
            >= 999.5 => (perSecond / 1e3, " k"),
            _ => (perSecond, ""),
        };
        return value.ToString(value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + unit;
    }

    private static string Time(long done, long? total, TimeSpan elapsed, double perSecond)
    {
        if (total is not { } all || done >= all)
            return $"in {Clock(elapsed)}";
        return perSecond > 0 ? $"{Clock(TimeSpan.FromSeconds(Math.Min((all - done) / perSecond, TimeSpan.MaxValue.TotalSeconds / 2)))} left" : "?:?? left";
    }

    private static string Clock(TimeSpan time) =>
        time.TotalHours >= 1 ? Invariant($"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}") : Invariant($"{time.Minutes}:{time.Seconds:00}");

    private static string Cut(string line, int columns) => line.Length <= columns ? line : line[..Math.Max(0, columns)];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
