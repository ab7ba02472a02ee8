using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Yaml;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve config</c>: what is deployed, as YAML that <c>deploy</c> takes.</summary>
internal static class ServeConfigCommand
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var name = new Option<string?>("--name", "-n") { Description = "Only this application.", HelpName = "APP" };
        var json = SharedCommandOptions.Json();
        return new NodeAdminCommand("config", "Tell what is deployed, as YAML that 'deploy' takes.") { name, json }
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

    // With the settings merged from code and file, so that nobody need guess which won.
    private static ApplicationConfig Merged(ApplicationDetails application) =>
        application.DeployedAppConfig! with
        {
            Deployments = [.. application.Deployments.Values.Select(deployment => deployment.DeploymentConfig).OrderBy(options => options.Name, StringComparer.Ordinal)],
        };
}
