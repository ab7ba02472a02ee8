using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The token protects the admin API and handle calls, but not application routes.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class NodeSecurityFunctionalTests(SamplePackageFixture packages)
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Token_Configured_RequiredByCliClientAndCalls()
    {
        using var scratch = new ScratchDirectory();
        var file = scratch.Write("token", Token + "\n");
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch, "--token-file", file);

        var without = await node.CliAsync("status");
        Assert.Equal(1, without.Code);
        Assert.Contains("token", without.Errors, StringComparison.OrdinalIgnoreCase);
        var with = await node.CliAsync("deploy", packages.Lab, "--name", "lab", "--route-prefix", "/lab", "--token-file", file);
        Assert.True(with.Code == 0, with.Errors);

        await Assert.ThrowsAsync<AccessDeniedException>(async () => await (await ServeClient.ConnectAsync(node.GatewayAddress)).GetHandle("Lab").Method("Square").Remote<int>(3));
        await using var serve = await ServeClient.ConnectAsync(node.GatewayAddress, new ServeClientOptions { Token = Token });
        Assert.Equal(9, await serve.GetHandle("Lab").Method("Square").Remote<int>(3));

        // Application routes are public; authentication is up to the application.
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
    }

}
