using System.Net.Sockets;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>What there is of a node while it runs, and the check that none of it is left.</summary>
internal sealed record Remains(Scratch Scratch, List<int> Processes, List<int> Ports)
{
    /// <summary>Everything of a node that would be left behind if it did not clear up.</summary>
    public static Remains Of(TestNode node)
    {
        List<int> processes = [node.Process.Id, .. ProcessTable.ChildrenOf(node.Process.Id)];
        // A worker that is being reaped has no descriptors any more.
        return new(node.Scratch, processes, [.. processes.SelectMany(ProcessTable.PortsOf)]);
    }

    /// <summary>Checks after the node has ended; nothing is waited for.</summary>
    public void AssertNone()
    {
        Assert.All(Processes, pid => Assert.Null(ProcessTable.StateOf(pid)));
        Assert.Empty(Scratch.Processes());
        Assert.Empty(Scratch.Leftovers());
        Assert.False(Directory.Exists(Path.Combine(Scratch.In("state"), "run")), "run/ is left");
        Assert.All(Ports, AssertClosed);
    }

    private static void AssertClosed(int port)
    {
        using var client = new TcpClient();
        Assert.ThrowsAny<SocketException>(() => client.Connect("127.0.0.1", port));
    }
}
