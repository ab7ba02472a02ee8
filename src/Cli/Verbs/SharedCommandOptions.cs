using System.CommandLine;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>Options that several commands share; each command gets its own instance.</summary>
internal static class SharedCommandOptions
{
    private const int DefaultTimeoutSeconds = 600;

    public static Option<string?> Address() => new("--address")
    {
        Description = $"Address of the node's admin API. Default: the variable {NodeAdminAddress.AddressVariable}, or {NodeAdminAddress.Default}.",
        HelpName = "URL",
    };

    public static Option<string?> TokenFile() => new("--token-file")
    {
        Description = $"File with the node's token. Default: the variable {NodeAdminAddress.TokenFileVariable}, or that of a node which the same user has started without --token-file.",
        HelpName = "FILE",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON, for scripts." };

    public static Option<bool> NoWait() => new("--no-wait") { Description = "Do not wait for completion." };

    public static Option<double?> TimeoutSeconds() =>
        NumericOptionParser.Of("--timeout", "SECONDS", $"Maximum wait for completion, in seconds. Default {DefaultTimeoutSeconds}.", 0, 1e7, "a number of seconds, 0 or more");

    /// <summary>Returns the maximum wait.</summary>
    public static TimeSpan Timeout(ParseResult parsed, Option<double?> timeout) => TimeSpan.FromSeconds(parsed.GetValue(timeout) ?? DefaultTimeoutSeconds);

    public static Option<IsolationMode?> Isolation(string @default) => new("--isolation")
    {
        Description = $"Process of the replicas: the node's own (none), one worker per application, or one worker per replica. {@default}",
        HelpName = "none|application|replica",
        CustomParser = static result =>
        {
            var text = result.Tokens[0].Value;
            foreach (var mode in Enum.GetValues<IsolationMode>())
            {
                if (string.Equals(text, mode.ToString(), StringComparison.OrdinalIgnoreCase))
                    return mode;
            }

            result.AddError($"--isolation must be none, application or replica, but was '{text}'.");
            return null;
        },
    };

    /// <summary>Limits an argument to a list of values.</summary>
    public static void AcceptOnly(Argument argument, string[] values)
    {
        argument.CompletionSources.Add(values);
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !values.Contains(value, StringComparer.Ordinal))
                result.AddError($"{argument.Name} must be {string.Join(", ", values[..^1])} or {values[^1]}, but was '{value}'.");
        });
    }

    public static Option<string?> Name() => new("--name")
    {
        Description = "Name of the application. Default: the name of the file, without its extension.",
        HelpName = "NAME",
    };

    public static Option<string?> RoutePrefix() => new("--route-prefix")
    {
        Description = "URL path of the application. Default: '/' and the name of the ingress deployment.",
        HelpName = "/PATH",
    };
}
