using Serve.Testing;

namespace Serve.FunctionalTests.Protocol;

/// <summary>One node per isolation with the sample Wire at <c>/wire</c>, started once for all protocol tests.</summary>
public sealed class IsolationNodesFixture : IAsyncLifetime, IDisposable
{
    public static readonly IReadOnlyList<IsolationMode> Isolations = [IsolationMode.None, IsolationMode.Application, IsolationMode.Replica];

    private readonly ScratchDirectory _scratch = new();
    private readonly Dictionary<IsolationMode, TestNodeProcess> _nodes = [];

    public TestNodeProcess this[IsolationMode isolation] => _nodes[isolation];

    public Uri AddressOf(IsolationMode isolation) => new(_nodes[isolation].GatewayAddress);

    public async Task InitializeAsync()
    {
        var package = _scratch.In("Wire.zip");
        var (code, _, errors) = await ServeCliProcess.RunAsync(_scratch, "build", ServeExecutable.Sample("Wire.cs"), "-o", package);
        Assert.True(code == 0, errors);
        foreach (var isolation in Isolations)
        {
            var node = await TestNodeProcess.StartAsync(isolation);
            _nodes[isolation] = node;
            await node.DeployAsync(package, name: "wire");
        }

        foreach (var node in _nodes.Values)
            await node.Gateway.GetStringAsync("/wire/text");
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
    }

    public void Dispose() => _scratch.Dispose();
}

/// <summary>Runs the protocol tests sequentially on the same nodes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProtocolTestCollection : ICollectionFixture<IsolationNodesFixture>
{
    public const string Name = "protocol";
}
