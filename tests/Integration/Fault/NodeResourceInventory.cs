using System.Net.Sockets;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Resources of a running node, and the check that all of them were released.</summary>
internal sealed record NodeResourceInventory(ScratchDirectory Scratch, List<int> Processes, List<int> Ports)
{
    /// <summary>Returns the processes and ports of a node and of its workers.</summary>
    public static NodeResourceInventory Of(TestNodeProcess node)
    {
        List<int> processes = [node.Process.Id, .. LinuxProcessTable.ChildrenOf(node.Process.Id)];
        // A worker that is being reaped has no file descriptors.
        return new(node.Scratch, processes, [.. processes.SelectMany(LinuxProcessTable.PortsOf)]);
    }

    /// <summary>Checks, without waiting, that an exited node has released everything.</summary>
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
