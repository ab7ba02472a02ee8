using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve scale APP/DEPLOYMENT N</c>.</summary>
internal static class ScaleVerb
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CliConsole console)
    {
        var deployment = new Argument<string>("APP/DEPLOYMENT") { Description = "The application and its deployment." };
        deployment.Validators.Add(result =>
        {
            if (!DeploymentId.TryParse(result.GetValueOrDefault<string>(), out _))
                result.AddError($"'{result.GetValueOrDefault<string>()}': expected APP/DEPLOYMENT, for instance counter/Counter.");
        });
        var replicas = new Argument<int>("N")
        {
            Description = "How many replicas.",
            CustomParser = static result => NumberOption.Parse(result, "N", 0, int.MaxValue, "a number of replicas") ?? 0,
        };
        var (noWait, timeout) = (SharedOptions.NoWait(), SharedOptions.TimeoutSeconds());
        return new NodeCommand("scale", "Set how many replicas a deployment has, and wait until it has them.") { deployment, replicas, noWait, timeout }
            .Runs(console, async (parsed, client, cancellationToken) =>
            {
                _ = DeploymentId.TryParse(parsed.GetValue(deployment), out var id); // The validator has said that it succeeds.
                var wanted = parsed.GetValue(replicas);
                await client.ScaleAsync(id, wanted, cancellationToken);
                if (parsed.GetValue(noWait))
                    return ExitCode.Ok;
                var seen = await new DeployProgress(client, console, TimeProvider.System).WaitAsync(
                    [id.Application], instance => IsSettled(instance, id), SharedOptions.Timeout(parsed, timeout), cancellationToken);
                return Tell(seen ?? await client.GetStatusAsync(cancellationToken), id, wanted, console);
            });
    }

    private static bool IsSettled(ServeInstanceDetails instance, DeploymentId id) => Find(instance, id) is not { } found
        || found.Status == DeploymentStatus.DeployFailed
        || (found.Status == DeploymentStatus.Healthy && found.Replicas.Count == found.TargetNumReplicas && found.Replicas.All(replica => replica.State == ReplicaState.Running));

    private static int Tell(ServeInstanceDetails instance, DeploymentId id, int wanted, CliConsole console)
    {
        var found = Find(instance, id);
        if (found is not null && IsSettled(instance, id) && found.Replicas.Count == wanted)
        {
            console.Out.WriteLine($"{id}  {StatusText.Replicas(found)}");
            return ExitCode.Ok;
        }

        console.WriteErrors(found is null
            ? $"{id} is gone: somebody deleted it meanwhile."
            : $"{id} has {StatusText.Replicas(found)} ({StatusText.Upper(found.Status)}). {found.Message}");
        return ExitCode.Failed;
    }

    private static DeploymentDetails? Find(ServeInstanceDetails instance, DeploymentId id) =>
        instance.Applications.GetValueOrDefault(id.Application)?.Deployments.GetValueOrDefault(id.Name);
}
