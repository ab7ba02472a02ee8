using Serve.Admin;

namespace Serve.Cli.Display;

/// <summary>Formats the report of a node shutdown.</summary>
internal static class ShutdownReportText
{
    /// <summary>Writes the report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="writer">Output.</param>
    public static void Write(NodeShutdownReport report, TextWriter writer)
    {
        if (report.Applications.Count > 0)
            writer.WriteLine($"Applications drained: {string.Join(", ", report.Applications)} ({report.Replicas.Count} {(report.Replicas.Count == 1 ? "replica" : "replicas")})");
        foreach (var worker in report.Processes)
            writer.WriteLine($"Worker stopped: process {worker.Pid} ({worker.Label})");
        if (report.Addresses.Count > 0)
            writer.WriteLine($"Closed: {string.Join(", ", report.Addresses)}");
        writer.WriteLine($"Node stopped: process {report.NodePid}. All of its processes have exited.");
    }
}
