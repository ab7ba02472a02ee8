using Serve.Admin;
using Serve.Hosting;

namespace Serve.Cli.Admin;

/// <summary>
/// Selects the cluster that a command queries: the one named on the command line; otherwise that of the node, if one is running; otherwise that of the only program that runs
/// one.
/// </summary>
/// <param name="announcements">Clusters of programs.</param>
/// <param name="nodeAddress">Default address of the node.</param>
internal sealed class ClusterTargetResolver(ProcessAnnouncementFolder<LocalApiAnnouncement> announcements, string nodeAddress = NodeAdminAddress.Default)
{
    /// <summary>Creates a client for the selected cluster.</summary>
    /// <param name="address">Option: address of a node.</param>
    /// <param name="tokenFile">Option: token file of the node.</param>
    /// <param name="pid">Option: process id of a program.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <exception cref="CommandFailedException">No cluster was found, or several.</exception>
    public async Task<StateClient> FindAsync(string? address, string? tokenFile, int? pid, CancellationToken cancellationToken)
    {
        if (pid is { } process)
            return Open(announcements.Find().LastOrDefault(found => found.Pid == process) ?? throw NoneOf(process));
        var isNamed = address is not null || Environment.GetEnvironmentVariable(NodeAdminAddress.AddressVariable) is { Length: > 0 };
        var node = NodeAdminAddress.Find(isNamed ? address : nodeAddress, tokenFile);
        if (isNamed)
            return node.OpenState();
        using var client = node.Open();
        if (await NodeAdminAddress.AnswersAsync(client, cancellationToken))
            return node.OpenState();
        return announcements.Find() switch
        {
            [] => throw new CommandFailedException($"No node answers at {node.Uri.GetLeftPart(UriPartial.Authority)}, and no program of this user runs a cluster.", CliExitCode.NoNode),
            [var only] => Open(only),
            var several => throw new CommandFailedException($"{several.Count} programs run a cluster: {Describe(several)}. Choose one with --pid.", CliExitCode.Usage),
        };
    }

    private static StateClient Open(LocalApiAnnouncement found) => new(found.Address, new() { Token = found.Token });

    private static string Describe(IEnumerable<LocalApiAnnouncement> found) => string.Join(", ", found.Select(one => $"{one.Program} (pid {one.Pid})"));

    private CommandFailedException NoneOf(int pid)
    {
        var others = announcements.Find();
        return new CommandFailedException(
            $"Process {pid} runs no observable cluster{(others.Count > 0 ? $". Observable clusters: {Describe(others)}" : "")}. A program announces its cluster half a second after Cluster.Init, unless ClusterOptions.Observable is false.",
            CliExitCode.NoNode);
    }
}
