using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Display;
using Serve.Controller.Packages;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve deploy TARGET|CONFIG</c>.</summary>
internal static class ServeDeployCommand
{
    private static readonly TimeSpan BuildProgressDelay = TimeSpan.FromSeconds(0.5);

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var target = new Argument<string>("TARGET") { Description = "A .cs file, a project, a .dll, an .onnx file, a package (.zip), or a config file (.yaml). A config file is declarative: applications that it does not list are deleted." };
        var (name, route, isolation) = (SharedCommandOptions.Name(), SharedCommandOptions.RoutePrefix(), SharedCommandOptions.Isolation("Default: the isolation that the node was started with."));
        var (canary, shadow) = (Percent("--canary", "Deploy next to the running revision, which keeps the other requests: percent of the requests that the new one receives."),
            Percent("--shadow", "Deploy next to the running revision: percent of the requests that are copied to the new one, whose answers are dropped."));
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("deploy", "Deploy to the running node, and wait until the applications are running.") { target, name, route, isolation, canary, shadow, noWait, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var deploy = DeployCommandTarget.Load(parsed.GetValue(target)!, parsed.GetValue(name), parsed.GetValue(route), parsed.GetValue(isolation));
                var config = await WithinReachAsync(Beside(deploy.Config, parsed.GetValue(canary), parsed.GetValue(shadow)), client, console, cancellationToken);
                var canaries = config.Applications.Where(application => application.Canary is not null || application.Shadow is not null).Select(application => application.Name).ToHashSet(StringComparer.Ordinal);
                var names = config.Applications.Select(application => application.Name).ToList();
                if (deploy.IsDeclarative)
                {
                    var before = await client.GetStatusAsync(cancellationToken);
                    await WithBuildProgressAsync(client.DeployAsync(config, cancellationToken), config, console);
                    foreach (var removed in before.Applications.Values.Where(known => known.Status != ApplicationStatus.Deleting).Select(known => known.Name).Except(names).Order(StringComparer.Ordinal))
                        console.Out.WriteLine($"{removed}: deleted, because the config does not list it.");
                }
                else
                {
                    await WithBuildProgressAsync(client.DeployAsync(config.Applications[0], cancellationToken), config, console);
                }

                if (parsed.GetValue(noWait))
                {
                    console.Out.WriteLine($"{string.Join(", ", names)}: accepted. Run 'serve status' to follow its progress.");
                    return CliExitCode.Ok;
                }

                return await WaitAsync(names, client, console, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken, canaries);
            });
    }

    private static Option<double?> Percent(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "PERCENT",
        CustomParser = result => NumericOptionParser.ParsePercent(result, name),
    };

    private static ServeConfig Beside(ServeConfig config, double? canary, double? shadow) => canary is null && shadow is null ? config : config with
    {
        Applications = [.. config.Applications.Select(application => application with
        {
            Canary = canary is null ? application.Canary : (application.Canary ?? new()) with { Percent = canary, Steps = [] },
            Shadow = shadow is null ? application.Shadow : (application.Shadow ?? new() { Percent = 0 }) with { Percent = shadow.Value },
        })],
    };

    /// <summary>Waits until applications are running or have failed, and prints the result.</summary>
    /// <returns>The exit code.</returns>
    internal static async Task<int> WaitAsync(
        List<string> names, AdminClient client, CommandConsole console, TimeSpan timeout, CancellationToken cancellationToken, IReadOnlySet<string>? canaries = null)
    {
        var instance = await new DeployProgressDisplay(client, console, TimeProvider.System).WaitAsync(
            names, seen => names.All(name => seen.Applications.TryGetValue(name, out var found) && IsSettled(found, canaries?.Contains(name) is true)), timeout, cancellationToken);
        var code = CliExitCode.Ok;
        var last = instance ?? await client.GetStatusAsync(cancellationToken);
        foreach (var name in names)
        {
            var application = last.Applications.GetValueOrDefault(name);
            if (canaries?.Contains(name) is true && await CanaryErrorAsync(name, application, client, cancellationToken) is { } error)
            {
                code = CliExitCode.Failed;
                console.WriteErrors([error]);
                continue;
            }

            if (application is { Status: ApplicationStatus.Running })
            {
                foreach (var line in ApplicationStatusText.Running(last, application))
                    console.Out.WriteLine(line);
                continue;
            }

            code = CliExitCode.Failed;
            console.WriteErrors(application is null
                ? [$"{name} was deleted concurrently."]
                : [$"{name} is not running{(instance is null ? $" after {timeout.TotalSeconds} s; the deployment continues. Run 'serve status' to follow its progress" : "")}:", .. ApplicationStatusText.Full(last, application)]);
        }

        return code;
    }

    private static async Task<string?> CanaryErrorAsync(string name, ApplicationDetails? application, AdminClient client, CancellationToken cancellationToken)
    {
        if (application?.Canary is { Status: ApplicationStatus.DeployFailed } failed)
            return $"{name}: the canary, revision {failed.Revision}, is not running: {failed.Message} The running revision keeps all requests. End the canary with 'serve rollback {name}'.";
        if (application is not { Canary: null })
            return null;
        var newest = (await client.GetRevisionsAsync(name, cancellationToken)).Revisions[0];
        return newest.CanaryEnd is { } reason ? $"{name}: the canary, revision {newest.Revision}, was {reason}" : null;
    }

    // The node builds sources before it accepts the request; a source that is built already takes no time.
    private static async Task WithBuildProgressAsync(Task deploying, ServeConfig config, CommandConsole console)
    {
        var sources = config.Applications.Select(application => ImportPath.Resolve(application.ImportPath))
            .Where(path => path.Kind is ImportPathKind.SourceFile or ImportPathKind.Project).Select(path => path.Location).Distinct(StringComparer.Ordinal).ToList();
        var started = TimeProvider.System.GetTimestamp();
        if (sources.Count == 0 || await Task.WhenAny(deploying, Task.Delay(BuildProgressDelay, TimeProvider.System)) == deploying)
        {
            await deploying;
            return;
        }

        var progress = new BuildProgressLine(console);
        var source = string.Join(", ", sources);
        progress.OnBuildStarted(source);
        try
        {
            await deploying;
            progress.OnBuildSucceeded(source, TimeProvider.System.GetElapsedTime(started));
        }
        catch
        {
            progress.OnBuildFailed(source);
            throw;
        }
    }

    private static bool IsSettled(ApplicationDetails application, bool isCanary) =>
        application.Status is ApplicationStatus.Running or ApplicationStatus.DeployFailed
        && (!isCanary || application.Canary is null or { Status: ApplicationStatus.Running or ApplicationStatus.DeployFailed or ApplicationStatus.Unhealthy });

    // Zip files are uploaded; and all other targets too if the node is on another machine and cannot read local files.
    private static async Task<ServeConfig> WithinReachAsync(ServeConfig config, AdminClient client, CommandConsole console, CancellationToken cancellationToken)
    {
        List<ApplicationConfig> applications = [];
        foreach (var application in config.Applications)
        {
            var path = ImportPath.Resolve(application.ImportPath);
            if (path.Kind is ImportPathKind.Package || (client.Address.IsLoopback && path.Kind is not ImportPathKind.Archive))
            {
                applications.Add(application);
                continue;
            }

            var uploaded = await ServeBuildCommand.WithArchiveAsync(path, console, async archive =>
            {
                await using var zip = File.OpenRead(archive);
                return (await client.UploadPackageAsync(zip, cancellationToken)).ImportPath;
            }, cancellationToken);
            applications.Add(application with { ImportPath = path.TypeName is null ? uploaded : $"{uploaded}:{path.TypeName}" });
        }

        return config with { Applications = applications };
    }
}
