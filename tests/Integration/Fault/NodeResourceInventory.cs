using System.Net.Sockets;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>What there is of a node while it runs, and the check that none of it is left.</summary>
internal sealed record NodeResourceInventory(ScratchDirectory Scratch, List<int> Processes, List<int> Ports)
{
    /// <summary>Everything of a node that would be left behind if it did not clear up.</summary>
    public static NodeResourceInventory Of(TestNodeProcess node)
    {
        List<int> processes = [node.Process.Id, .. LinuxProcessTable.ChildrenOf(node.Process.Id)];
        // A worker that is being reaped has no descriptors any more.
        return new(node.Scratch, processes, [.. processes.SelectMany(LinuxProcessTable.PortsOf)]);
    }

    /// <summary>Checks after the node has ended; nothing is waited for.</summary>
    public void AssertAllReleased()
    {
        Assert.All(Processes, pid => Assert.Null(LinuxProcessTable.StateOf(pid)));
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
