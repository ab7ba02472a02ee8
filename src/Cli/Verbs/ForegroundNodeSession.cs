using Serve.Admin;
using Serve.Cli.Display;
using Serve.Cli.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>Runs a node in the foreground until it has stopped.</summary>
internal static class ForegroundNodeSession
{
    /// <summary>Waits for a shutdown request, over the admin API or by a signal.</summary>
    /// <param name="node">The node.</param>
    /// <param name="stop">Tokens of the signals.</param>
    public static async Task WaitAsync(NodeHost node, ShutdownTokens stop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var signal = stop.Requested.Register(() => ended.TrySetResult());
        await using var request = node.Controller.ShutdownRequested.Register(() => ended.TrySetResult());
        await ended.Task;
    }

    /// <summary>Drains and disposes the node, and writes the shutdown report.</summary>
    /// <param name="node">The node.</param>
    /// <param name="console">Console of the command.</param>
    /// <param name="stop">Tokens of the signals; a second signal aborts the drain.</param>
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
            console.WriteErrors("forced to stop: ongoing requests were aborted.");
            await node.DisposeAsync();
            return CliExitCode.Failed;
        }

        await node.DisposeAsync();
        if (report is not null)
            ShutdownReportText.Write(report, console.Out);
        return CliExitCode.Ok;
    }
}
