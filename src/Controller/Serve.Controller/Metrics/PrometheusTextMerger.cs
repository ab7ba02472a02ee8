using System.Globalization;
using System.Text;

namespace Serve.Controller.Metrics;

/// <summary>
/// Merges the Prometheus texts of several processes into one that a scraper accepts: one HELP and TYPE per family, its samples together, no duplicate
/// samples. Samples with the same name and labels are added: counts and sizes of one deployment in several processes.
/// </summary>
public static class PrometheusTextMerger
{
    private static readonly string[] Suffixes = ["_bucket", "_sum", "_count", "_total", "_created"];

    /// <summary>Merges the text of the node with those of its workers. Metrics of the process itself are taken from the node only.</summary>
    public static string Merge(string own, IReadOnlyList<string> workers)
    {
        List<PrometheusMetricFamily> families = [];
        Dictionary<string, PrometheusMetricFamily> byName = new(StringComparer.Ordinal);
        Read(own, families, byName, static _ => true);
        foreach (var worker in workers)
            Read(worker, families, byName, static name => !IsOfProcess(name));
        var text = new StringBuilder();
        foreach (var family in families)
            family.WriteTo(text);
        return text.ToString();
    }

    private static bool IsOfProcess(string family) =>
        family.StartsWith("process_", StringComparison.Ordinal)
        || family.StartsWith("dotnet_", StringComparison.Ordinal)
        || family.StartsWith("prometheus_net_", StringComparison.Ordinal);

    private static void Read(string text, List<PrometheusMetricFamily> families, Dictionary<string, PrometheusMetricFamily> byName, Func<string, bool> isWanted)
    {
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            var line = raw.Trim();
            if (line.IsEmpty)
                continue;
            var isHelp = line.StartsWith("# HELP ");
            if (isHelp || line.StartsWith("# TYPE "))
            {
                var rest = line[7..];
                var space = rest.IndexOf(' ');
                var name = (space < 0 ? rest : rest[..space]).ToString();
                if (!isWanted(name))
                    continue;
                var family = Family(name, families, byName);
                var value = space < 0 ? "" : rest[(space + 1)..].ToString();
                if (isHelp)
                    family.Help ??= value;
                else
                    family.Type ??= value;
            }
            else if (line[0] != '#' && TrySplit(line, out var series, out var value))
            {
                var brace = series.IndexOf('{');
                var name = brace < 0 ? series : series[..brace];
                var family = FamilyOf(name, byName);
                if (isWanted(family))
                    Family(family, families, byName).Add(series, value);
            }
        }
    }

    // Label values may contain spaces and braces, so the value starts after the last brace, or after the name.
    private static bool TrySplit(ReadOnlySpan<char> line, out string series, out double value)
    {
        var close = line.LastIndexOf('}');
        var end = close >= 0 ? close + 1 : line.IndexOf(' ');
        series = end > 0 ? line[..end].ToString() : "";
        value = 0;
        if (end <= 0)
            return false;
        var number = line[end..].Trim();
        var space = number.IndexOf(' ');
        number = space < 0 ? number : number[..space];
        value = number switch { "+Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity, "NaN" => double.NaN, _ => 0 };
        return value != 0 || double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static string FamilyOf(string sample, Dictionary<string, PrometheusMetricFamily> byName)
    {
        if (byName.ContainsKey(sample))
            return sample;
        foreach (var suffix in Suffixes)
        {
            if (sample.EndsWith(suffix, StringComparison.Ordinal) && byName.ContainsKey(sample[..^suffix.Length]))
                return sample[..^suffix.Length];
        }

        return sample;
    }

    private static PrometheusMetricFamily Family(string name, List<PrometheusMetricFamily> families, Dictionary<string, PrometheusMetricFamily> byName)
    {
        if (byName.TryGetValue(name, out var family))
            return family;
        byName.Add(name, family = new PrometheusMetricFamily(name));
        families.Add(family);
        return family;
    }
}
