using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Display;
using Serve.Cli.Hosting;
using Serve.Controller.Builds;
using Serve.Controller.Store;
using Serve.Runtime.Execution;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve run TARGET</c>: runs a node with one target in the foreground. By default its state is temporary.</summary>
internal static class ServeRunCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    /// <param name="stop">Stops the node.</param>
    public static Command Create(CommandConsole console, ShutdownTokens stop)
    {
        var target = new Argument<string>("TARGET") { Description = "A .cs file, a project, a .dll, an .onnx file, a package (.zip) or a config file (.yaml) to serve." };
        var (name, route) = (SharedCommandOptions.Name(), SharedCommandOptions.RoutePrefix());
        var reload = new Option<bool>("--reload", "-r") { Description = "Redeploy whenever the source changes." };
        var command = new Command("run", "Serve a target in the foreground until Ctrl+C.") { target, name, route, reload };
        var options = new NodeCommandOptions(command, IsolationMode.None, "Default: a temporary one, deleted on exit.");
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            DeployCommandTarget Load() => DeployCommandTarget.Load(parsed.GetValue(target)!, parsed.GetValue(name), parsed.GetValue(route), null);
            var settings = options.Read(parsed);
            var deploy = Load();
            var http = settings.Http(deploy.Config.HttpOptions ?? new HttpOptions());
            settings.CheckExposure(http.Host);
            using var ephemeral = settings.StateDir is null ? new OwnedTemporaryFolder("serve-run-") : null;
            var nodeConsole = new NodeConsoleLogging(console.Error, isDevelopment: true);
            await using var node = await NodeHost.StartAsync(
                settings, http, ephemeral?.Path ?? settings.StateDir!, ephemeral is null ? null : NodeStateDirectory.DefaultBuildCache,
                new BuildProgressLine(console), nodeConsole, cancellationToken);
            var code = await ServeAsync(node, deploy, console, cancellationToken);
            if (code == CliExitCode.Ok)
            {
                await node.BecomeReadyAsync(cancellationToken);
                if (settings.AdminPort == 0)
                    console.Out.WriteLine($"admin  {node.Addresses.Admin}");
                if (node.DashboardAddress is { } dashboard)
                    console.Out.WriteLine($"dashboard  {dashboard}  ('serve dashboard' prints a link that signs in)");
                console.Out.WriteLine("Ctrl+C stops everything.");
                await console.Out.FlushAsync(CancellationToken.None);
                await WaitAsync(node, parsed.GetValue(reload) ? Load : null, parsed.GetValue(target)!, console, stop);
            }

            return Math.Max(code, await ForegroundNodeSession.EndAsync(node, console, stop));
        });
        return command;
    }

    private static async Task<int> ServeAsync(NodeHost node, DeployCommandTarget deploy, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            await DeployAsync(node, deploy, cancellationToken);
            return await SettledAsync(node, deploy, console, cancellationToken);
        }
        catch (DefinitionException e)
        {
            console.WriteErrors(e.Errors);
            return CliExitCode.Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return CliExitCode.Ok;
        }
    }

    private static Task<bool> DeployAsync(NodeHost node, DeployCommandTarget deploy, CancellationToken cancellationToken) => deploy.IsDeclarative
        // The node was started with the http_options of the file, overridden by the command line.
        ? node.Controller.DeployAsync(deploy.Config with { HttpOptions = null }, cancellationToken)
        : node.Controller.DeployAsync(deploy.Config.Applications[0], cancellationToken);

    private static async Task<int> SettledAsync(NodeHost node, DeployCommandTarget deploy, CommandConsole console, CancellationToken cancellationToken)
    {
        var code = CliExitCode.Ok;
        foreach (var wanted in deploy.Config.Applications)
        {
            ServeInstanceDetails instance;
            ApplicationDetails? application;
            while (true)
            {
                instance = node.Controller.GetDetails();
                application = instance.Applications.GetValueOrDefault(wanted.Name);
                if (application is { Status: ApplicationStatus.Running or ApplicationStatus.DeployFailed })
                    break;
                await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
            }

            if (application.Status is ApplicationStatus.Running)
            {
                foreach (var line in ApplicationStatusText.Running(instance, application))
                    console.Out.WriteLine(line);
                continue;
            }

            code = CliExitCode.Failed;
            console.WriteErrors([$"{wanted.Name} failed to start:", .. ApplicationStatusText.Full(instance, application)]);
        }

        return code;
    }

    private static async Task WaitAsync(NodeHost node, Func<DeployCommandTarget>? load, string target, CommandConsole console, ShutdownTokens stop)
    {
        if (load is null)
        {
            await ForegroundNodeSession.WaitAsync(node, stop);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop.Requested, node.Controller.ShutdownRequested);
        await foreach (var _ in SourceChangeWatcher.WatchAsync(target, load().Config, TimeProvider.System, ended.Token))
        {
            try
            {
                await ServeAsync(node, load(), console, ended.Token);
            }
            catch (DefinitionException e)
            {
                // The previous version keeps running until the source is valid again.
                console.WriteErrors(e.Errors);
            }
        }
    }
}
