using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Serve.Admin;

namespace Serve.Client.Tests;

/// <summary>Clients find the token of a node that the same user has started, and never present it to another server.</summary>
public sealed class NodeTokenDiscoveryTests : IDisposable
{
    private static readonly string StateHome = Directory.CreateTempSubdirectory("serve-client-state-").FullName;
    private readonly string _tokenFile = Path.Combine(StateHome, Guid.NewGuid().ToString("N"));
    private readonly List<string> _announced = [];
    private string _right = "right";

    [ModuleInitializer]
    internal static void UseAStateFolderOfOurOwn() => Environment.SetEnvironmentVariable("XDG_STATE_HOME", StateHome);

    public void Dispose()
    {
        foreach (var file in _announced)
            NodeAnnouncement.ForCurrentUser().Withdraw(file);
    }

    [Fact]
    public async Task Send_NodeOfThisUser_PresentsItsToken()
    {
        await using var node = await StartAsync();
        Announce(node.Address, "right");

        using var admin = new AdminClient(node.Address);
        await admin.DeleteAllAsync();

        Assert.Single(node.Requests);
    }

    [Fact]
    public async Task Send_GatewayOfThisUser_PresentsItsToken()
    {
        await using var node = await StartAsync();
        File.WriteAllText(_tokenFile, "right");
        _announced.Add(NodeAnnouncement.ForCurrentUser().Publish(new(Environment.ProcessId, node.Address, "http://127.0.0.1:1", _tokenFile, TimeProvider.System.GetUtcNow())));

        await using var serve = await ServeClient.ConnectAsync(node.Address);

        Assert.Equal(7, await serve.GetHandle("Adder").Remote<int>(3, 4));
    }

    [Fact]
    public async Task Send_NodeStartedOrReplacedLater_FindsItsToken()
    {
        await using var node = await StartAsync();
        using var admin = new AdminClient(node.Address);
        Announce(node.Address, "right");
        await admin.ScaleAsync(new("a", "A"), 2);

        _right = "other";
        File.WriteAllText(_tokenFile, "other");
        await admin.ScaleAsync(new("a", "A"), 3);

        // The first attempt of each was rejected; the second sends the same body.
        var path = "POST /api/v1/applications/a/deployments/A/scale ";
        Assert.Equal([path + """{"target_num_replicas":2}""", path + """{"target_num_replicas":2}""", path + """{"target_num_replicas":3}""", path + """{"target_num_replicas":3}"""], node.Requests);
    }

    [Fact]
    public async Task Send_LocalhostOfANode_SentToTheAnnouncedAddress()
    {
        await using var node = await StartAsync();
        Announce(node.Address, "right");

        using var admin = new AdminClient(node.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        await admin.DeleteAllAsync();

        Assert.StartsWith("127.0.0.1:", Assert.Single(node.Headers).Host, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("[::1]")]
    public async Task Send_OtherAddressOfTheSamePort_PresentsNoToken(string announced)
    {
        await using var node = await StartAsync();
        Announce(node.Address.Replace("127.0.0.1", announced, StringComparison.Ordinal), "right");

        using var admin = new AdminClient(node.Address);
        var denied = await Assert.ThrowsAsync<AccessDeniedException>(() => admin.DeleteAllAsync());

        Assert.Equal(0, Assert.Single(node.Headers).Authorization.Count);
        Assert.Equal(
            $"No token. The current user has started no node at {node.Address} that is running. Specify the file with its token: --token-file of the CLI, or ServeClientOptions.TokenFile.", denied.Message);
    }

    [Fact]
    public async Task Send_NodeThatIsDead_PresentsNoToken()
    {
        await using var node = await StartAsync();
        File.WriteAllText(_tokenFile, "right");
        // Above the kernel's maximum process id.
        var file = NodeAnnouncement.ForCurrentUser().Publish(new(int.MaxValue - 1, node.Address, node.Address, _tokenFile, TimeProvider.System.GetUtcNow()));

        using var admin = new AdminClient(node.Address);
        await Assert.ThrowsAsync<AccessDeniedException>(() => admin.DeleteAllAsync());

        Assert.Equal(0, Assert.Single(node.Headers).Authorization.Count);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Send_TokenFileUnreadable_SaysSo()
    {
        await using var node = await StartAsync();
        Announce(node.Address, "right");
        File.Delete(_tokenFile);

        using var admin = new AdminClient(node.Address);
        var denied = await Assert.ThrowsAsync<AccessDeniedException>(() => admin.DeleteAllAsync());

        Assert.StartsWith($"No token. The token file of process {Environment.ProcessId} cannot be read: ", denied.Message, StringComparison.Ordinal);
        Assert.Contains(_tokenFile, denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_TokenSpecified_OverridesTheAnnouncedOne()
    {
        await using var node = await StartAsync();
        Announce(node.Address, "right");
        var file = Path.Combine(StateHome, "specified");
        File.WriteAllText(file, "wrong\n");

        using var admin = new AdminClient(node.Address, new() { TokenFile = file });
        var denied = await Assert.ThrowsAsync<AccessDeniedException>(() => admin.DeleteAllAsync());

        Assert.Equal("Bearer wrong", Assert.Single(node.Headers).Authorization);
        Assert.Equal($"Wrong token. It was read from {file}.", denied.Message);
    }

    private void Announce(string address, string token)
    {
        File.WriteAllText(_tokenFile, token);
        _announced.Add(NodeAnnouncement.ForCurrentUser().Publish(new(Environment.ProcessId, "http://127.0.0.1:1", address, _tokenFile, TimeProvider.System.GetUtcNow())));
    }

    private Task<FakeHttpNode> StartAsync() => FakeHttpNode.StartAsync(app => app.MapMethods("/{**rest}", ["DELETE", "POST"], context =>
    {
        var presented = context.Request.Headers.Authorization.ToString();
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return presented == "Bearer " + _right ? context.Response.WriteAsJsonAsync(7)
            : FakeHttpNode.Problem(401, $$"""{"reason":"unauthorized","status":401,"detail":"{{(presented.Length == 0 ? "No" : "Wrong")}} token."}""")(context);
    }));
}
