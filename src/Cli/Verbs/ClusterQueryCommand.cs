using System.CommandLine;
using Serve.Admin;
using Serve.Cli.Admin;
using Serve.Runtime.Observation;

namespace Serve.Cli.Verbs;

/// <summary>A verb that looks at a cluster, a node's or a program's: has <c>--address</c>, <c>--token-file</c> and <c>--pid</c>.</summary>
internal sealed class ClusterQueryCommand : Command
{
    private readonly Option<string?> _address = SharedCommandOptions.Address();
    private readonly Option<string?> _tokenFile = SharedCommandOptions.TokenFile();
    private readonly Option<int?> _pid = NumericOptionParser.Of(
        "--pid", "PID", "A program that runs a cluster. Default: the node's cluster when a node runs, else that of the only program.", 1, int.MaxValue, "a process id");

    /// <summary>Creates the verb.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    public ClusterQueryCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_address);
        Options.Add(_tokenFile);
        Options.Add(_pid);
        Validators.Add(result =>
        {
            if (result.GetResult(_pid) is not null && (result.GetResult(_address) is not null || result.GetResult(_tokenFile) is not null))
                result.AddError("--pid names a program, --address and --token-file a node: give one of them.");
        });
    }

    /// <summary>Sets what it does.</summary>
    /// <param name="console">Where it writes.</param>
    /// <param name="action">Gets a client for the cluster; returns the exit code.</param>
    /// <returns>This verb.</returns>
    public ClusterQueryCommand WithAction(CommandConsole console, Func<ParseResult, StateClient, CancellationToken, Task<int>> action)
    {
        this.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var target = new ClusterTargetResolver(ClusterAnnouncementFolder.ForCurrentUser());
            using var client = await target.FindAsync(parsed.GetValue(_address), parsed.GetValue(_tokenFile), parsed.GetValue(_pid), cancellationToken);
            return await action(parsed, client, cancellationToken);
        });
        return this;
    }
}
