using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Admin;
using Serve.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>A command that queries the cluster of a node or program, with the options <c>--address</c>, <c>--token-file</c> and <c>--pid</c>.</summary>
internal sealed class ClusterQueryCommand : Command
{
    private readonly Option<string?> _address = SharedCommandOptions.Address();
    private readonly Option<string?> _tokenFile = SharedCommandOptions.TokenFile();
    private readonly Option<int?> _pid = NumericOptionParser.Of(
        "--pid", "PID", "Process id of a program that runs a cluster. Default: the cluster of the running node, otherwise that of the only program.", 1, int.MaxValue, "a process id");

    /// <summary>Creates the command.</summary>
    /// <param name="name">Name of the command.</param>
    /// <param name="description">Help text.</param>
    public ClusterQueryCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_address);
        Options.Add(_tokenFile);
        Options.Add(_pid);
        Validators.Add(result =>
        {
            if (result.GetResult(_pid) is not null && (result.GetResult(_address) is not null || result.GetResult(_tokenFile) is not null))
                result.AddError("--pid cannot be combined with --address or --token-file: the first names a program, the others a node.");
        });
    }

    /// <summary>Sets the action of the command.</summary>
    /// <param name="console">Console of the command.</param>
    /// <param name="action">The action: receives a client for the cluster, returns the exit code.</param>
    /// <returns>This command.</returns>
    public ClusterQueryCommand WithAction(CommandConsole console, Func<ParseResult, StateClient, CancellationToken, Task<int>> action)
    {
        this.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var target = new ClusterTargetResolver(LocalApiAnnouncement.OfClusters());
            using var client = await target.FindAsync(parsed.GetValue(_address), parsed.GetValue(_tokenFile), parsed.GetValue(_pid), cancellationToken);
            return await action(parsed, client, cancellationToken);
        });
        return this;
    }
}
