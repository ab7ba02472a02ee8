using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>A verb that talks to a running node: has <c>--address</c> and <c>--token-file</c>, and turns errors into messages and exit codes.</summary>
internal sealed class NodeAdminCommand : Command
{
    private readonly Option<string?> _address = SharedCommandOptions.Address();
    private readonly Option<string?> _tokenFile = SharedCommandOptions.TokenFile();

    /// <summary>Creates the verb.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    public NodeAdminCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_address);
        Options.Add(_tokenFile);
    }

    /// <summary>Sets what it does.</summary>
    /// <param name="console">Where it writes.</param>
    /// <param name="action">Gets a client for the node; returns the exit code.</param>
    /// <returns>This verb.</returns>
    public NodeAdminCommand WithAction(CommandConsole console, Func<ParseResult, AdminClient, CancellationToken, Task<int>> action)
    {
        this.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            using var client = NodeAdminAddress.Find(parsed.GetValue(_address), parsed.GetValue(_tokenFile)).Open();
            return await action(parsed, client, cancellationToken);
        });
        return this;
    }
}
