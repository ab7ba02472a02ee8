using System.CommandLine;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>Options that several verbs have, made anew for each.</summary>
internal static class SharedCommandOptions
{
    private const int DefaultTimeoutSeconds = 600;

    public static Option<string?> Address() => new("--address")
    {
        Description = $"The node's admin address. Default: {NodeAdminAddress.AddressVariable}, or {NodeAdminAddress.Default}.",
        HelpName = "URL",
    };

    public static Option<string?> TokenFile() => new("--token-file")
    {
        Description = $"A file that holds the node's token. Default: {NodeAdminAddress.TokenFileVariable}.",
        HelpName = "FILE",
    };

    public static Option<bool> Json() => new("--json") { Description = "For scripts: JSON on standard output." };

    public static Option<bool> NoWait() => new("--no-wait") { Description = "Do not wait until it is done." };

    public static Option<double?> TimeoutSeconds() =>
        NumericOptionParser.Of("--timeout", "SECONDS", $"How many seconds to wait until it is done. Default {DefaultTimeoutSeconds}.", 0, 1e7, "seconds, 0 or more");

    /// <summary>How long is waited.</summary>
    public static TimeSpan Timeout(ParseResult parsed, Option<double?> timeout) => TimeSpan.FromSeconds(parsed.GetValue(timeout) ?? DefaultTimeoutSeconds);

    public static Option<IsolationMode?> Isolation(string @default) => new("--isolation")
    {
        Description = $"Where replicas live: in the node's process, a worker per application, or a worker each. {@default}",
        HelpName = "none|application|replica",
        CustomParser = static result =>
        {
            var text = result.Tokens[0].Value;
            foreach (var mode in Enum.GetValues<IsolationMode>())
            {
                if (string.Equals(text, mode.ToString(), StringComparison.OrdinalIgnoreCase))
                    return mode;
            }

            result.AddError($"--isolation {text}: expected none, application or replica.");
            return null;
        },
    };

    public static Option<string?> Name() => new("--name")
    {
        Description = "The application's name. Default: the file's, without its extension.",
        HelpName = "NAME",
    };

    public static Option<string?> RoutePrefix() => new("--route-prefix")
    {
        Description = "Where HTTP requests reach it. Default: '/' and the name of the ingress deployment.",
        HelpName = "/PATH",
    };
}
