using Serve.Admin;
using Serve.Runtime.Observation;

namespace Serve.Cli.Admin;

/// <summary>
/// Which cluster a verb looks at: the one that was named; else that of the node, when one runs; else that of the only program that runs one.
/// Holds no state.
/// </summary>
/// <param name="announcements">The programs' clusters.</param>
/// <param name="nodeAddress">Where a node is when nothing else is said.</param>
internal sealed class ClusterTargetResolver(ClusterAnnouncementFolder announcements, string nodeAddress = NodeAdminAddress.Default)
{
    /// <summary>Finds it.</summary>
    /// <param name="address">From the command line: a node.</param>
    /// <param name="tokenFile">From the command line: the node's token.</param>
    /// <param name="pid">From the command line: a program's process.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A client for it.</returns>
    /// <exception cref="CommandFailedException">There is none, or more than one.</exception>
    public async Task<StateClient> FindAsync(string? address, string? tokenFile, int? pid, CancellationToken cancellationToken)
    {
        if (pid is { } process)
            return Open(announcements.Find().LastOrDefault(found => found.Pid == process) ?? throw NoneOf(process));
        var isNamed = address is not null || Environment.GetEnvironmentVariable(NodeAdminAddress.AddressVariable) is { Length: > 0 };
        var node = NodeAdminAddress.Find(isNamed ? address : nodeAddress, tokenFile);
        if (isNamed || await AnswersAsync(node, cancellationToken))
            return node.OpenState();
        return announcements.Find() switch
        {
            [] => throw new CommandFailedException($"No node answers at {node.Uri.GetLeftPart(UriPartial.Authority)}, and no program of yours runs a cluster.", CliExitCode.NoNode),
            [var only] => Open(only),
            var several => throw new CommandFailedException($"{several.Count} programs run a cluster: {Describe(several)}. Choose one with --pid.", CliExitCode.Usage),
        };
    }

    private static StateClient Open(ClusterAnnouncement found) => new(found.Address, new() { Token = found.Token });

    private static string Describe(IEnumerable<ClusterAnnouncement> found) => string.Join(", ", found.Select(one => $"{one.Program} (pid {one.Pid})"));

    private static async Task<bool> AnswersAsync(NodeAdminAddress node, CancellationToken cancellationToken)
    {
        using var client = node.Open();
        try
        {
            await client.CheckAsync(cancellationToken);
            return true;
        }
        catch (NodeUnreachableException)
        {
            return false;
        }
        catch (ServeException)
        {
            // It wants a token, say: asking it for its state tells better what is wrong.
            return true;
        }
    }

    private CommandFailedException NoneOf(int pid)
    {
        var others = announcements.Find();
        return new CommandFailedException(
            $"Process {pid} runs no cluster that can be looked at{(others.Count > 0 ? $"; {Describe(others)} do" : "")}. A program announces its cluster half a second after Cluster.Init, unless it is not Observable.",
            CliExitCode.NoNode);
    }
}
