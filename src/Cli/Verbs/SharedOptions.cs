using System.CommandLine;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>Options that several verbs have, made anew for each.</summary>
internal static class SharedOptions
{
    public static Option<string?> Address() => new("--address")
    {
        Description = $"The node's admin address. Default: {NodeAddress.AddressVariable}, or {NodeAddress.Default}.",
        HelpName = "URL",
    };

    public static Option<string?> TokenFile() => new("--token-file")
    {
        Description = $"A file that holds the node's token. Default: {NodeAddress.TokenFileVariable}.",
        HelpName = "FILE",
    };

    public static Option<bool> Json() => new("--json") { Description = "For scripts: JSON on standard output." };

    public static Option<bool> NoWait() => new("--no-wait") { Description = "Do not wait until it is done." };

    public static Option<double> TimeoutSeconds()
    {
        var option = new Option<double>("--timeout")
        {
            Description = "How many seconds to wait until it is done.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 600,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<double>() is not (>= 0 and < 1e7))
                result.AddError("--timeout: expected seconds, 0 or more.");
        });
        return option;
    }

    public static Option<IsolationMode?> Isolation(string @default)
    {
        var option = new Option<IsolationMode?>("--isolation")
        {
            Description = $"Where replicas live: in the node's process, a worker per application, or a worker each. {@default}",
            HelpName = "none|application|replica",
        };
        return option;
    }

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
