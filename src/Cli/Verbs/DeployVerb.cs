using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Build;
using Serve.Cli.Display;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve deploy TARGET|CONFIG</c>.</summary>
internal static class DeployVerb
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CliConsole console)
    {
        var target = new Argument<string>("TARGET") { Description = "A .cs file, a project, a .dll, an .onnx file, a package (.zip), or a config file (.yaml), which is declarative: what it does not list goes." };
        var (name, route, isolation) = (SharedOptions.Name(), SharedOptions.RoutePrefix(), SharedOptions.Isolation("Default: what the node was started with."));
        var (noWait, timeout) = (SharedOptions.NoWait(), SharedOptions.TimeoutSeconds());
        return new NodeCommand("deploy", "Deploy to the running node, and wait until it runs.") { target, name, route, isolation, noWait, timeout }
            .Runs(console, async (parsed, client, cancellationToken) =>
            {
                var deploy = DeployTarget.Load(parsed.GetValue(target)!, parsed.GetValue(name), parsed.GetValue(route), parsed.GetValue(isolation));
                var config = await WithinReachAsync(deploy.Config, client, console, cancellationToken);
                if (deploy.IsDeclarative)
                    await client.DeployAsync(config, cancellationToken);
                else
                    await client.DeployAsync(config.Applications[0], cancellationToken);
                var names = config.Applications.Select(application => application.Name).ToList();
                if (parsed.GetValue(noWait))
                {
                    console.Out.WriteLine($"{string.Join(", ", names)}: accepted. 'serve status' tells how far it is.");
                    return ExitCode.Ok;
                }

                return await WaitAsync(names, client, console, SharedOptions.Timeout(parsed, timeout), cancellationToken);
            });
    }

    private static async Task<int> WaitAsync(
        List<string> names, AdminClient client, CliConsole console, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var instance = await new DeployProgress(client, console, TimeProvider.System).WaitAsync(
            names, seen => names.All(name => seen.Applications.TryGetValue(name, out var found) && IsSettled(found)), timeout, cancellationToken);
        var code = ExitCode.Ok;
        var last = instance ?? await client.GetStatusAsync(cancellationToken);
        foreach (var name in names)
        {
            var application = last.Applications.GetValueOrDefault(name);
            if (application is { Status: ApplicationStatus.Running })
            {
                foreach (var line in StatusText.Running(last, application))
                    console.Out.WriteLine(line);
                continue;
            }

            code = ExitCode.Failed;
            console.WriteErrors(application is null
                ? [$"{name} is gone: somebody deleted it meanwhile."]
                : [$"{name} is not running{(instance is null ? $" after {timeout.TotalSeconds} s; it goes on. 'serve status' tells how far it is" : "")}:", .. StatusText.Full(last, application)]);
        }

        return code;
    }

    private static bool IsSettled(ApplicationDetails application) =>
        application.Status is ApplicationStatus.Running or ApplicationStatus.DeployFailed;

    // A zip file is uploaded, and so is everything when the node is on another machine: it cannot read this one's files.
    private static async Task<ServeConfig> WithinReachAsync(ServeConfig config, AdminClient client, CliConsole console, CancellationToken cancellationToken)
    {
        List<ApplicationConfig> applications = [];
        foreach (var application in config.Applications)
        {
            var path = ImportPath.Resolve(application.ImportPath);
            if (path.Kind is ImportKind.Package || (client.Address.IsLoopback && path.Kind is not ImportKind.Archive))
            {
                applications.Add(application);
                continue;
            }

            var uploaded = await BuildVerb.WithArchiveAsync(path, console, async archive =>
            {
                await using var zip = File.OpenRead(archive);
                return (await client.UploadPackageAsync(zip, cancellationToken)).ImportPath;
            }, cancellationToken);
            applications.Add(application with { ImportPath = path.TypeName is null ? uploaded : $"{uploaded}:{path.TypeName}" });
        }

        return config with { Applications = applications };
    }
}
