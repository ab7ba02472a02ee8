using System.Globalization;
using Serve.Admin;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>Waits until a node that was requested to shut down has exited.</summary>
internal static class NodeExitWaiter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the processes of the node have exited and its admin address does not respond.</summary>
    /// <param name="client">Client of the node.</param>
    /// <param name="report">The node's shutdown report.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task WaitAsync(AdminClient client, NodeShutdownReport report, TimeProvider time, CancellationToken cancellationToken)
    {
        while (await NodeAdminAddress.AnswersAsync(client, cancellationToken)
            || (client.Address.IsLoopback && report.Processes.Select(worker => worker.Pid).Append(report.NodePid).Any(Lives)))
        {
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    // A zombie has exited, and remains until the shell or service that started the node reaps it.
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
