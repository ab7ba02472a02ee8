using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve scale APP/DEPLOYMENT N</c>.</summary>
internal static class ServeScaleCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var deployment = new Argument<string>("APP/DEPLOYMENT") { Description = "Names of the application and the deployment." };
        deployment.Validators.Add(result =>
        {
            if (!DeploymentId.TryParse(result.GetValueOrDefault<string>(), out _))
                result.AddError($"'{result.GetValueOrDefault<string>()}': expected APP/DEPLOYMENT, for example counter/Counter.");
        });
        var replicas = new Argument<int>("N")
        {
            Description = "Number of replicas.",
            CustomParser = static result => NumericOptionParser.Parse(result, "N", 0, int.MaxValue, "a number of replicas") ?? 0,
        };
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("scale", "Set the number of replicas of a deployment, and wait until it is reached.") { deployment, replicas, noWait, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                _ = DeploymentId.TryParse(parsed.GetValue(deployment), out var id); // Validated above.
                var wanted = parsed.GetValue(replicas);
                await client.ScaleAsync(id, wanted, cancellationToken);
                if (parsed.GetValue(noWait))
                    return CliExitCode.Ok;
                var seen = await new DeployProgressDisplay(client, console, TimeProvider.System).WaitAsync(
                    [id.Application], instance => IsSettled(instance, id), SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                return Tell(seen ?? await client.GetStatusAsync(cancellationToken), id, wanted, console);
            });
    }

    private static bool IsSettled(ServeInstanceDetails instance, DeploymentId id) => Find(instance, id) is not { } found
        || found.Status == DeploymentStatus.DeployFailed
        || (found.Status == DeploymentStatus.Healthy && found.Replicas.Count == found.TargetNumReplicas && found.Replicas.All(replica => replica.State == ReplicaState.Running));

    private static int Tell(ServeInstanceDetails instance, DeploymentId id, int wanted, CommandConsole console)
    {
        var found = Find(instance, id);
        if (found is not null && IsSettled(instance, id) && found.Replicas.Count == wanted)
        {
            console.Out.WriteLine($"{id}  {ApplicationStatusText.Replicas(found)}");
            return CliExitCode.Ok;
        }

        console.WriteErrors(found is null
            ? $"{id} was deleted concurrently."
            : $"{id} has {ApplicationStatusText.Replicas(found)} ({ApplicationStatusText.Upper(found.Status)}). {found.Message}");
        return CliExitCode.Failed;
    }

    private static DeploymentDetails? Find(ServeInstanceDetails instance, DeploymentId id) =>
        instance.Applications.GetValueOrDefault(id.Application)?.Deployments.GetValueOrDefault(id.Name);
}
