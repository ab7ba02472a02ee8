using System.Globalization;
using Serve.Admin;

namespace Serve.Cli.Verbs;

/// <summary>Waits until nothing is left of a node that was told to end.</summary>
internal static class NodeExitWaiter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until its processes are gone and its admin address no longer answers.</summary>
    /// <param name="client">The node.</param>
    /// <param name="report">What it said it ended.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task WaitAsync(AdminClient client, NodeShutdownReport report, TimeProvider time, CancellationToken cancellationToken)
    {
        while (await AnswersAsync(client, cancellationToken)
            || (client.Address.IsLoopback && report.Processes.Select(worker => worker.Pid).Append(report.NodePid).Any(Lives)))
        {
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    private static async Task<bool> AnswersAsync(AdminClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.CheckAsync(cancellationToken);
            return true;
        }
        catch (NodeUnreachableException)
        {
            return false;
        }
        catch (ServeException)
        {
            return true;
        }
    }

    // A zombie has ended: it waits for the shell or service that started the node, which is not ours to wait for.
    private static bool Lives(int pid)
    {
        if (!OperatingSystem.IsLinux())
            return IsRunning(pid);
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')')..].Split(' ').ElementAtOrDefault(1) is not ("Z" or "X");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsRunning(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
