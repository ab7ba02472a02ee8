using Prometheus;
using Serve.Runtime.Devices;

namespace Serve.Runtime.Onnx.Telemetry;

/// <summary>Metrics of the GPUs of this machine, updated on each scrape. Absent without a driver.</summary>
internal static class GpuDeviceMetrics
{
    private static readonly string[] Labels = ["gpu", "name"];

    /// <summary>Updates the metrics on each scrape of the registry.</summary>
    public static void Follow(IGpuDevices devices, CollectorRegistry registry)
    {
        if (devices.Read().Count == 0)
            return;
        var metrics = Metrics.WithCustomRegistry(registry);
        var total = metrics.CreateGauge("serve_gpu_memory_bytes", "Memory of a device, in bytes.", Labels);
        var used = metrics.CreateGauge("serve_gpu_memory_used_bytes", "Memory of a device that processes use, this one and others, in bytes.", Labels);
        var busy = metrics.CreateGauge("serve_gpu_utilization_ratio", "Share of the last moments in which a device was busy, 0 to 1.", Labels);
        registry.AddBeforeCollectCallback(() =>
        {
            foreach (var device in devices.Read())
            {
                string[] labels = [$"{device.Id}", device.Name];
                total.WithLabels(labels).Set(device.TotalMemory);
                used.WithLabels(labels).Set(device.UsedMemory);
                if (device.Utilization is { } share)
                    busy.WithLabels(labels).Set(share);
            }
        });
    }
}
