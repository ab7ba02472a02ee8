using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Yaml;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve config</c>: writes the deployed configuration as YAML for <c>serve deploy</c>.</summary>
internal static class ServeConfigCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var name = new Option<string?>("--name", "-n") { Description = "Write only this application.", HelpName = "APP" };
        var json = SharedCommandOptions.Json();
        return new NodeAdminCommand("config", "Print the deployed configuration as YAML for 'serve deploy'.") { name, json }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                IReadOnlyList<ApplicationDetails> applications = parsed.GetValue(name) is { } only
                    ? [await client.GetApplicationAsync(only, cancellationToken)]
                    : [.. (await client.GetStatusAsync(cancellationToken)).Applications.Values.OrderBy(found => found.Name, StringComparer.Ordinal)];
                var written = ServeConfigWriter.Write(new ServeConfig
                {
                    Applications = [.. applications.Where(found => found.Status != ApplicationStatus.Deleting).Select(Merged)],
                });
                console.Out.Write(parsed.GetValue(json) ? written.ToJsonString() + "\n" : YamlConfigWriter.Write(written));
                return CliExitCode.Ok;
            });
    }

    // The merged settings of code and file: the values that are in effect.
    private static ApplicationConfig Merged(ApplicationDetails application) =>
        application.DeployedAppConfig! with
        {
            Deployments = [.. application.Deployments.Values.Select(deployment => deployment.DeploymentConfig).OrderBy(options => options.Name, StringComparer.Ordinal)],
        };
}
