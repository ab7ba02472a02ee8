using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Serve.RoutingBench;

/// <summary>Time of the decisions about a day of traffic, and the plot of that day.</summary>
internal static class DayRows
{
    private const int Width = 900;
    private const int Left = 60;
    private const int Height = 130;
    private const int Gap = 30;

    public static void Run(string? plot)
    {
        var started = Stopwatch.GetTimestamp();
        var day = new DaySimulation().Run(TimeSpan.FromMinutes(5));
        var elapsed = Stopwatch.GetElapsedTime(started);
        Console.WriteLine($"24 h of traffic of one deployment: {day.Requests} requests, {day.Decisions} decisions, {day.Changes} changes of the target in {elapsed.TotalSeconds:0.00} s (goal: at most 5 s)");
        if (plot is not null)
            File.WriteAllText(plot, Plot(day));
    }

    private static string Plot(DaySimulation day)
    {
        var text = new StringBuilder();
        var bottom = 3 * (Height + Gap);
        text.AppendLine(Invariant($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Left + Width + 20} {bottom + 30}" font-family="sans-serif" font-size="12">"""));
        text.AppendLine("""<title>A day of traffic, replicas and latency</title>""");
        text.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        Row(0, "requests per second", "#1f77b4", day.Points.Select(static point => (point.Hour, point.Rate)));
        Row(1, "replicas", "#2ca02c", day.Points.Select(static point => (point.Hour, point.Replicas)));
        Row(2, "p99 latency, ms", "#d62728", day.Points.Select(static point => (point.Hour, point.Latency)));
        for (var hour = 0; hour <= 24; hour += 3)
            text.AppendLine(Invariant($"""<text x="{Left + (Width * hour / 24)}" y="{bottom + 12}" text-anchor="middle">{hour:00}:00</text>"""));
        return text.AppendLine("</svg>").ToString();

        void Row(int index, string name, string color, IEnumerable<(double Hour, double Value)> values)
        {
            var all = values.ToList();
            var (top, scale) = ((index * (Height + Gap)) + Gap, Math.Max(1, all.Max(static each => each.Value)));
            text.AppendLine(Invariant($"""<text x="{Left}" y="{top - 8}">{name}</text>"""));
            text.AppendLine(Invariant($"""<text x="{Left - 6}" y="{top + 10}" text-anchor="end">{scale:0}</text>"""));
            text.AppendLine(Invariant($"""<text x="{Left - 6}" y="{top + Height}" text-anchor="end">0</text>"""));
            text.AppendLine(Invariant($"""<path d="M{Left} {top}V{top + Height}H{Left + Width}" fill="none" stroke="#888"/>"""));
            var points = string.Join(" ", all.Select(each => Invariant($"{Left + (Width * each.Hour / 24):0.#},{top + Height - (Height * each.Value / scale):0.#}")));
            text.AppendLine(Invariant($"""<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>"""));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
