using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Admin;

namespace Serve.Cli.Verbs;

/// <summary>A command that uses the admin API of a running node, with the options <c>--address</c> and <c>--token-file</c>.</summary>
internal sealed class NodeAdminCommand : Command
{
    private readonly Option<string?> _address = SharedCommandOptions.Address();
    private readonly Option<string?> _tokenFile = SharedCommandOptions.TokenFile();

    /// <summary>Creates the command.</summary>
    /// <param name="name">Name of the command.</param>
    /// <param name="description">Help text.</param>
    public NodeAdminCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_address);
        Options.Add(_tokenFile);
    }

    /// <summary>Sets the action of the command.</summary>
    /// <param name="console">Console of the command.</param>
    /// <param name="action">The action: receives a client for the node, returns the exit code.</param>
    /// <returns>This command.</returns>
    public NodeAdminCommand WithAction(CommandConsole console, Func<ParseResult, AdminClient, CancellationToken, Task<int>> action)
    {
        this.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            using var client = NodeAdminAddress.Find(parsed.GetValue(_address), parsed.GetValue(_tokenFile)).Open();
            try
            {
                return await action(parsed, client, cancellationToken);
            }
            catch (NoSuchRouteException)
            {
                if (await IsAdminApiAsync(client, cancellationToken))
                    throw;
                throw new CommandFailedException(
                    $"{client.Address.GetLeftPart(UriPartial.Authority)} is not the admin API of a node. Specify the address that 'serve start' prints after 'admin'.", CliExitCode.NoNode);
            }
        });
        return this;
    }

    private static async Task<bool> IsAdminApiAsync(AdminClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetStatusAsync(cancellationToken);
            return true;
        }
        catch (NoSuchRouteException)
        {
            return false;
        }
    }
}
