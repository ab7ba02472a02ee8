using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Serve.Cli.Admin;
using Serve.Hosting;

namespace Serve.Cli.Tests.Admin;

public sealed class ClusterTargetResolverTests : IDisposable
{
    // Nothing listens on port 1.
    private const string Nowhere = "http://127.0.0.1:1";
    private readonly TemporaryTestFolder _folder = new();
    private readonly ClusterTargetResolver _target;

    public ClusterTargetResolverTests() => _target = new(new ProcessAnnouncementFolder<LocalApiAnnouncement>(_folder.Path), Nowhere);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FindAsync_NoNodeAndNoProgram_Throws()
    {
        var error = await Assert.ThrowsAsync<CommandFailedException>(() => FindAsync());
        Assert.Equal(CliExitCode.NoNode, error.ExitCode);
        Assert.Equal("No node answers at http://127.0.0.1:1, and no program of this user runs a cluster.", error.Message);
    }

    [Fact]
    public async Task FindAsync_NoNodeAndOneProgram_ThatOne()
    {
        Announce("a", "http://127.0.0.1:2", Environment.ProcessId);
        using var client = await FindAsync();
        Assert.Equal(new Uri("http://127.0.0.1:2"), client.Address);
    }

    [Fact]
    public async Task FindAsync_NoNodeAndTwoPrograms_ListsThemAndAsksForOne()
    {
        Announce("a", "http://127.0.0.1:2", Environment.ProcessId);
        Announce("b", "http://127.0.0.1:3", Environment.ProcessId);
        var error = await Assert.ThrowsAsync<CommandFailedException>(() => FindAsync());
        Assert.Equal(CliExitCode.Usage, error.ExitCode);
        Assert.Contains($"a (pid {Environment.ProcessId}), b (pid {Environment.ProcessId})", error.Message, StringComparison.Ordinal);
        Assert.Contains("--pid", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindAsync_NodeAndProgram_TheNode()
    {
        Announce("a", "http://127.0.0.1:2", Environment.ProcessId);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var node = builder.Build();
        node.Run(context => Task.CompletedTask);
        await node.StartAsync();
        using var client = await new ClusterTargetResolver(new ProcessAnnouncementFolder<LocalApiAnnouncement>(_folder.Path), node.Urls.First()).FindAsync(null, null, null, CancellationToken.None);
        Assert.Equal(new Uri(node.Urls.First()), client.Address);
        using var named = await new ClusterTargetResolver(new ProcessAnnouncementFolder<LocalApiAnnouncement>(_folder.Path), node.Urls.First()).FindAsync(null, null, Environment.ProcessId, CancellationToken.None);
        Assert.Equal(new Uri("http://127.0.0.1:2"), named.Address);
    }

    [Fact]
    public async Task FindAsync_PidWithoutCluster_ErrorListsClusters()
    {
        Announce("a", "http://127.0.0.1:2", Environment.ProcessId);
        var error = await Assert.ThrowsAsync<CommandFailedException>(() => FindAsync(pid: 999_999_999));
        Assert.Equal(CliExitCode.NoNode, error.ExitCode);
        Assert.Contains($"Observable clusters: a (pid {Environment.ProcessId}).", error.Message, StringComparison.Ordinal);
    }

    private Task<Serve.Admin.StateClient> FindAsync(int? pid = null) => _target.FindAsync(null, null, pid, CancellationToken.None);

    private void Announce(string program, string address, int pid) => _folder.Write($"{program}.json", new JsonObject
    {
        ["pid"] = pid,
        ["program"] = program,
        ["address"] = address,
        ["token"] = "secret",
        ["started"] = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
    }.ToJsonString());
}
