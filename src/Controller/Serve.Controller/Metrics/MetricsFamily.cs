using System.Globalization;
using System.Text;

namespace Serve.Controller;

/// <summary>One metric with all its samples, while texts are merged.</summary>
internal sealed class MetricsFamily(string name)
{
    private readonly List<string> order = [];
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);

    public string? Help { get; set; }

    public string? Type { get; set; }

    public void Add(string series, double value)
    {
        if (samples.TryAdd(series, value))
            order.Add(series);
        else
            samples[series] += value;
    }

    public void WriteTo(StringBuilder text)
    {
        if (Help is not null)
            text.Append("# HELP ").Append(name).Append(' ').Append(Help).Append('\n');
        if (Type is not null)
            text.Append("# TYPE ").Append(name).Append(' ').Append(Type).Append('\n');
        foreach (var series in order)
            text.Append(series).Append(' ').Append(Number(samples[series])).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
