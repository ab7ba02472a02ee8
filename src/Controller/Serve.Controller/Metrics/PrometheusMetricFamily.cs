using System.Globalization;
using System.Text;

namespace Serve.Controller.Metrics;

/// <summary>One metric with its samples, while texts are merged.</summary>
internal sealed class PrometheusMetricFamily(string name)
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public string? Help { get; set; }

    public string? Type { get; set; }

    public void Add(string series, double value)
    {
        if (_samples.TryAdd(series, value))
            _order.Add(series);
        else
            _samples[series] += value;
    }

    public void WriteTo(StringBuilder text)
    {
        if (Help is not null)
            text.Append("# HELP ").Append(name).Append(' ').Append(Help).Append('\n');
        if (Type is not null)
            text.Append("# TYPE ").Append(name).Append(' ').Append(Type).Append('\n');
        foreach (var series in _order)
            text.Append(series).Append(' ').Append(Number(_samples[series])).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
