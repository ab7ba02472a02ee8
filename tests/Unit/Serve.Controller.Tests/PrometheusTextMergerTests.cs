using Serve.Controller.Metrics;

namespace Serve.Controller.Tests;

public sealed class PrometheusTextMergerTests
{
    [Fact]
    public void Merge_SameFamilyInSeveralTexts_HasOneHelpAndType()
    {
        const string own = """
            # HELP serve_a_total All of a.
            # TYPE serve_a_total counter
            serve_a_total{replica="1"} 2
            # HELP serve_b Ongoing.
            # TYPE serve_b gauge
            serve_b 1
            """;
        const string worker = """
            # HELP serve_a_total All of a.
            # TYPE serve_a_total counter
            serve_a_total{replica="2"} 3
            serve_a_total{replica="1"} 5
            """;
        Assert.Equal(
            """
            # HELP serve_a_total All of a.
            # TYPE serve_a_total counter
            serve_a_total{replica="1"} 7
            serve_a_total{replica="2"} 3
            # HELP serve_b Ongoing.
            # TYPE serve_b gauge
            serve_b 1

            """, PrometheusTextMerger.Merge(own, [worker]));
    }

    [Fact]
    public void Merge_Histograms_StayWithTheirFamily()
    {
        const string text = """
            # HELP h_ms Time.
            # TYPE h_ms histogram
            h_ms_sum{d="x"} 1.5
            h_ms_count{d="x"} 2
            h_ms_bucket{d="x",le="1"} 1
            h_ms_bucket{d="x",le="+Inf"} 2
            """;
        var merged = PrometheusTextMerger.Merge(text, [text]);
        Assert.Single(merged.Split('\n'), line => line.StartsWith("# TYPE", StringComparison.Ordinal));
        Assert.Contains("h_ms_sum{d=\"x\"} 3\n", merged);
        Assert.Contains("h_ms_bucket{d=\"x\",le=\"+Inf\"} 4\n", merged);
    }

    [Fact]
    public void Merge_LabelValuesWithBracesAndSpaces_AreUnchanged() =>
        Assert.Equal("a{route=\"/x y/{id}\"} NaN\nb +Inf\n", PrometheusTextMerger.Merge("a{route=\"/x y/{id}\"} NaN\nb +Inf\n", []));

    [Fact]
    public void Merge_ProcessMetricsOfWorkers_AreOmitted() =>
        Assert.Equal("process_cpu_seconds_total 1\n", PrometheusTextMerger.Merge("process_cpu_seconds_total 1\n",
            ["# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 9\ndotnet_total_memory_bytes 5\n"]));
}
