using System.Globalization;
using System.Text;
using Prometheus;
using Serve.Runtime.Devices;
using Serve.Runtime.Onnx.Telemetry;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Telemetry;

/// <summary>Metrics of models and devices.</summary>
public sealed class OnnxMetricsTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task Scrape_ModelThatRan_TellsOfItAndForgetsItsSession()
    {
        using (var model = await _models.LoadAsync(OnnxTestModel.Slow(3), name: "scraped.onnx"))
        {
            for (var run = 0; run < 3; run++)
                (await model.RunAsync([("x", Tensor.Of(new float[256 * 256], 256, 256))])).Dispose();

            var text = await ScrapeAsync(Metrics.DefaultRegistry);
            const string labels = "{model=\"scraped.onnx\",provider=\"cpu\"}";
            Assert.Contains($"serve_onnx_sessions{labels} 1\n", text, StringComparison.Ordinal);
            Assert.Contains($"serve_onnx_runs_ongoing{labels} 0\n", text, StringComparison.Ordinal);
            Assert.Contains($"serve_onnx_runs_waiting{labels} 0\n", text, StringComparison.Ordinal);
            // Three runs and the warm-up.
            Assert.Contains($"serve_onnx_run_seconds_count{labels} 4\n", text, StringComparison.Ordinal);
            Assert.Contains($"serve_onnx_session_load_seconds_count{labels} 1\n", text, StringComparison.Ordinal);
            // Intermediate values of the runs: 256 KiB each.
            Assert.True(ValueOf(text, $"serve_onnx_session_memory_bytes{labels}") >= 256 * 1024, text);
        }

        Assert.DoesNotContain("serve_onnx_sessions{model=\"scraped.onnx\"", await ScrapeAsync(Metrics.DefaultRegistry), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrape_WhileModelsAreUnloaded_ProcessSurvives()
    {
        using var stop = new CancellationTokenSource();
        var scrapes = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                LiveSessionRegistry.Copy();
        });
        for (var load = 0; load < 200; load++)
            (await _models.LoadAsync(OnnxTestModel.Slow(1), name: "unloaded.onnx")).Dispose();
        await stop.CancelAsync();
        await scrapes;
    }

    [Fact]
    public async Task Scrape_Devices_AreReadEachTime()
    {
        var devices = new FakeDevices { Devices = [new GpuDevice(1, "GPU-1", "Fake", 100, 10, 0.25)] };
        var registry = Metrics.NewCustomRegistry();
        GpuDeviceMetrics.Follow(devices, registry);

        Assert.Contains("serve_gpu_memory_used_bytes{gpu=\"1\",name=\"Fake\"} 10\n", await ScrapeAsync(registry), StringComparison.Ordinal);
        devices.Devices = [new GpuDevice(1, "GPU-1", "Fake", 100, 20, 0.5)];
        var text = await ScrapeAsync(registry);
        Assert.Contains("serve_gpu_memory_bytes{gpu=\"1\",name=\"Fake\"} 100\n", text, StringComparison.Ordinal);
        Assert.Contains("serve_gpu_memory_used_bytes{gpu=\"1\",name=\"Fake\"} 20\n", text, StringComparison.Ordinal);
        Assert.Contains("serve_gpu_utilization_ratio{gpu=\"1\",name=\"Fake\"} 0.5\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrape_NoDevices_HasNoMetricOfThem()
    {
        var registry = Metrics.NewCustomRegistry();
        GpuDeviceMetrics.Follow(new FakeDevices(), registry);

        Assert.DoesNotContain("serve_gpu", await ScrapeAsync(registry), StringComparison.Ordinal);
    }

    private static double ValueOf(string text, string name)
    {
        var line = text.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);
    }

    private static async Task<string> ScrapeAsync(CollectorRegistry registry)
    {
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private sealed class FakeDevices : IGpuDevices
    {
        public IReadOnlyList<GpuDevice> Devices { get; set; } = [];

        public IReadOnlyList<GpuDevice> Read() => Devices;
    }
}
