using Serve.Dashboard.Sampling;

namespace Serve.Dashboard.Tests;

public sealed class MetricTextReaderTests
{
    private const string Labels = "application=\"a\",deployment=\"D\",replica=\"a#D#x\"";

    [Fact]
    public void Add_TextsOfSeveralProcesses_SumsTheRoutesOfAReplica()
    {
        var reader = new MetricTextReader();

        reader.Add($$"""
            # HELP serve_deployment_request_counter_total Requests.
            serve_deployment_request_counter_total{{{Labels}},route="/"} 7
            serve_deployment_request_counter_total{{{Labels}},route="/with \"quotes\", spaces} and braces{"} 3
            serve_deployment_error_counter_total{{{Labels}},route="/"} 2
            serve_replica_processing_queries{{{Labels}}} 4
            serve_deployment_queued_queries{application="a",deployment="D"} 5
            serve_actual_batch_size_sum{{{Labels}},function_name="F"} 12
            serve_actual_batch_size_count{{{Labels}},function_name="F"} 3
            serve_process_gc_heap_bytes{pid="42"} 1000
            other_total{application="a"} 9
            broken line
            """);
        reader.Add("""serve_deployment_queued_queries{application="a",deployment="D"} 6""");

        var counts = reader.Replicas.Single();
        Assert.Equal("a#D#x", counts.Key);
        Assert.Equal((10, 2, 4, 12, 3), (counts.Value.Requests, counts.Value.Errors, counts.Value.Ongoing, counts.Value.BatchItems, counts.Value.Batches));
        Assert.Equal(11, reader.QueuedByDeployment["a/D"]);
        Assert.Equal(1000, reader.RuntimeFigures[(42, "gc_heap_bytes")]);
    }

    [Fact]
    public void Between_Latencies_InterpolatesWithinTheBucket()
    {
        var (before, now) = (new MetricTextReader(), new MetricTextReader());
        before.Add(Text(requests: 100, upTo10: 100, upTo20: 100, all: 100));
        now.Add(Text(requests: 200, upTo10: 150, upTo20: 190, all: 200));

        var rates = DeploymentRates.Between(before.Replicas["a#D#x"], now.Replicas["a#D#x"], seconds: 2);

        Assert.Equal(50, rates.Rate);
        // Half of the hundred new requests took up to 10 ms; all others up to 20 ms, but for ten.
        Assert.Equal(10, rates.P50, 6);
        Assert.Equal(600000, rates.P99, 6);
    }

    [Fact]
    public void Between_CountsStartedAgain_RateIsNotNegative()
    {
        var (before, now) = (new MetricTextReader(), new MetricTextReader());
        before.Add(Text(requests: 100, upTo10: 100, upTo20: 100, all: 100));
        now.Add(Text(requests: 5, upTo10: 5, upTo20: 5, all: 5));

        Assert.Equal(5, DeploymentRates.Between(before.Replicas["a#D#x"], now.Replicas["a#D#x"], seconds: 1).Rate);
    }

    [Fact]
    public void Between_NoRequests_LatencyIsUnknown() => Assert.True(double.IsNaN(DeploymentRates.Between(new(), new(), seconds: 1).P50));

    private static string Text(int requests, int upTo10, int upTo20, int all) => $$"""
        serve_deployment_request_counter_total{{{Labels}},route="/"} {{requests}}
        serve_deployment_processing_latency_ms_bucket{{{Labels}},route="/",le="10"} {{upTo10}}
        serve_deployment_processing_latency_ms_bucket{{{Labels}},route="/",le="20"} {{upTo20}}
        serve_deployment_processing_latency_ms_bucket{{{Labels}},route="/",le="600000"} {{upTo20}}
        serve_deployment_processing_latency_ms_bucket{{{Labels}},route="/",le="+Inf"} {{all}}
        """;
}
