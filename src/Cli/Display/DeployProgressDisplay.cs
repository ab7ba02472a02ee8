using Serve.Admin;
using Spectre.Console;

namespace Serve.Cli.Display;

/// <summary>Waits until applications reach their desired state, and shows the progress: redrawn on a terminal, one line per change elsewhere.</summary>
/// <param name="client">Client of the node.</param>
/// <param name="console">Console of the command.</param>
/// <param name="time">Clock.</param>
internal sealed class DeployProgressDisplay(AdminClient client, CommandConsole console, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(150);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="names">Applications to show.</param>
    /// <param name="isDone">The condition.</param>
    /// <param name="timeout">Maximum wait.</param>
    /// <param name="cancellationToken">Cancels the wait; the deployment continues.</param>
    /// <returns>The last status; null after a timeout.</returns>
    public async Task<ServeInstanceDetails?> WaitAsync(
        IReadOnlyCollection<string> names, Func<ServeInstanceDetails, bool> isDone, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (!console.IsInteractive)
        {
            var shown = new HashSet<string>(StringComparer.Ordinal);
            return await PollAsync(isDone, timeout, instance => WriteChanges(instance, names, shown), cancellationToken);
        }

        ServeInstanceDetails? last = null;
        await AnsiConsole.Live(new Text("")).AutoClear(true).StartAsync(async live =>
            last = await PollAsync(isDone, timeout, instance =>
            {
                live.UpdateTarget(Draw(instance, names));
                live.Refresh();
            }, cancellationToken));
        return last;
    }

    private async Task<ServeInstanceDetails?> PollAsync(
        Func<ServeInstanceDetails, bool> isDone, TimeSpan timeout, Action<ServeInstanceDetails> show, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var instance = await client.GetStatusAsync(cancellationToken);
            show(instance);
            if (isDone(instance))
                return instance;
            if (time.GetElapsedTime(begun) >= timeout)
                return null;
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    private void WriteChanges(ServeInstanceDetails instance, IReadOnlyCollection<string> names, HashSet<string> shown)
    {
        foreach (var application in Shown(instance, names))
        {
            foreach (var deployment in application.Deployments.Values.OrderBy(deployment => deployment.Name, StringComparer.Ordinal))
            {
                var line = $"{application.Name}/{deployment.Name}  {ApplicationStatusText.Upper(deployment.Status)}  {ApplicationStatusText.Replicas(deployment)}";
                // One line per change, not per poll; a return to an earlier state is a change too.
                if (shown.Add(line))
                {
                    console.Out.WriteLine(line);
                    shown.RemoveWhere(other => other != line && other.StartsWith($"{application.Name}/{deployment.Name}  ", StringComparison.Ordinal));
                }
            }
        }
    }

    private static Rows Draw(ServeInstanceDetails instance, IReadOnlyCollection<string> names) =>
        new(Shown(instance, names).SelectMany(application => ApplicationStatusText.Full(instance, application)).Select(line => new Text(line)));

    private static IEnumerable<ApplicationDetails> Shown(ServeInstanceDetails instance, IReadOnlyCollection<string> names) =>
        instance.Applications.Values.Where(application => names.Contains(application.Name)).OrderBy(application => application.Name, StringComparer.Ordinal);
}
