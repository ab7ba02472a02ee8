using System.Globalization;
using Prometheus;

namespace Serve.Cli.Hosting;

/// <summary>Figures of the .NET runtime of each node and worker process, by process id, so that they stay apart when the texts of all processes are merged.</summary>
internal static class ProcessRuntimeMetrics
{
    private static readonly string[] ByProcess = ["pid"];
    private static readonly string Pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    private static readonly Gauge.Child Heap = Metrics.CreateGauge("serve_process_gc_heap_bytes", "Memory of the managed heap in bytes.", ByProcess).WithLabels(Pid);
    private static readonly Counter.Child Pause = Metrics.CreateCounter("serve_process_gc_pause_seconds_total", "Time in which garbage collections paused the process, in seconds.", ByProcess).WithLabels(Pid);
    private static readonly Gauge.Child Threads = Metrics.CreateGauge("serve_process_thread_pool_threads", "Threads of the thread pool.", ByProcess).WithLabels(Pid);
    private static readonly Gauge.Child Queue = Metrics.CreateGauge("serve_process_thread_pool_queue_length", "Work items that wait for a thread of the pool.", ByProcess).WithLabels(Pid);

    // A registry's callbacks cannot be removed, so they are added once.
    static ProcessRuntimeMetrics() => Metrics.DefaultRegistry.AddBeforeCollectCallback(static () =>
    {
        Heap.Set(GC.GetTotalMemory(forceFullCollection: false));
        Pause.IncTo(GC.GetTotalPauseDuration().TotalSeconds);
        Threads.Set(ThreadPool.ThreadCount);
        Queue.Set(ThreadPool.PendingWorkItemCount);
    });

    /// <summary>Adds the figures to the metrics of this process.</summary>
    public static void Register() => _ = Pid;
}
