using Serve.Admin;
using Spectre.Console;

namespace Serve.Cli.Display;

/// <summary>Waits for applications to get where they are meant to be, and shows how far they are: redrawn on a terminal, a line per change elsewhere.</summary>
/// <param name="client">The node.</param>
/// <param name="console">Where to show it.</param>
/// <param name="time">The clock.</param>
internal sealed class DeployProgressDisplay(AdminClient client, CommandConsole console, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(150);

    /// <summary>Waits.</summary>
    /// <param name="names">The applications to show.</param>
    /// <param name="isDone">Whether they have got there.</param>
    /// <param name="timeout">How long at most.</param>
    /// <param name="cancellationToken">Stops waiting; the deployment goes on.</param>
    /// <returns>The last that was seen; null when the time ran out.</returns>
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
                // A line per change, not per look; what comes back as it was is a change again.
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
