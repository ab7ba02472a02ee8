using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>A verb that talks to a running node: has <c>--address</c> and <c>--token-file</c>, and turns errors into messages and exit codes.</summary>
internal sealed class NodeCommand : Command
{
    private readonly Option<string?> address = SharedOptions.Address();
    private readonly Option<string?> tokenFile = SharedOptions.TokenFile();

    /// <summary>Creates the verb.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    public NodeCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(address);
        Options.Add(tokenFile);
    }

    /// <summary>Sets what it does.</summary>
    /// <param name="console">Where it writes.</param>
    /// <param name="action">Gets a client for the node; returns the exit code.</param>
    /// <returns>This verb.</returns>
    public NodeCommand Runs(CliConsole console, Func<ParseResult, AdminClient, CancellationToken, Task<int>> action)
    {
        this.RunsGuarded(console, async (parsed, cancellationToken) =>
        {
            using var client = NodeAddress.Find(parsed.GetValue(address), parsed.GetValue(tokenFile)).Open();
            return await action(parsed, client, cancellationToken);
        });
        return this;
    }
}
