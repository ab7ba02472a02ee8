using Serve.Admin;

namespace Serve.Cli.Display;

/// <summary>Lists what a node ended.</summary>
internal static class ShutdownReportText
{
    /// <summary>Writes the list.</summary>
    /// <param name="report">What was ended.</param>
    /// <param name="writer">Where to.</param>
    public static void Write(NodeShutdownReport report, TextWriter writer)
    {
        if (report.Applications.Count > 0)
            writer.WriteLine($"Applications drained: {string.Join(", ", report.Applications)} ({report.Replicas.Count} {(report.Replicas.Count == 1 ? "replica" : "replicas")})");
        foreach (var worker in report.Processes)
            writer.WriteLine($"Worker ended: process {worker.Pid} ({worker.Label})");
        if (report.Addresses.Count > 0)
            writer.WriteLine($"Closed: {string.Join(", ", report.Addresses)}");
        writer.WriteLine($"Node ended: process {report.NodePid}. Nothing of it is left.");
    }
}
