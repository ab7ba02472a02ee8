using Serve.Admin;
using Serve.Cli.Display;
using Serve.Cli.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>A node in the foreground, from when it is up until everything has ended.</summary>
internal static class ForegroundNodeSession
{
    /// <summary>Waits until somebody asks the node to end, over the admin API or by a signal.</summary>
    /// <param name="node">The node.</param>
    /// <param name="stop">The signals.</param>
    public static async Task WaitAsync(NodeHost node, ShutdownTokens stop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var signal = stop.Requested.Register(() => ended.TrySetResult());
        await using var request = node.Controller.ShutdownRequested.Register(() => ended.TrySetResult());
        await ended.Task;
    }

    /// <summary>Drains and ends the node, and lists what was ended.</summary>
    /// <param name="node">The node; disposed here.</param>
    /// <param name="console">Where the list goes.</param>
    /// <param name="stop">The signals; a second one cuts the drain short.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> EndAsync(NodeHost node, CommandConsole console, ShutdownTokens stop)
    {
        NodeShutdownReport? report = null;
        try
        {
            if (!node.Controller.ShutdownRequested.IsCancellationRequested)
                report = await node.DrainAsync(stop.Forced);
        }
        catch (OperationCanceledException) when (stop.Forced.IsCancellationRequested)
        {
            console.WriteErrors("ended at once, as asked: requests that were being served are cut off.");
            await node.DisposeAsync();
            return CliExitCode.Failed;
        }

        await node.DisposeAsync();
        if (report is not null)
            ShutdownReportText.Write(report, console.Out);
        return CliExitCode.Ok;
    }
}
