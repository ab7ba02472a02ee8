using Serve.Replica.Loading;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Activation;

public sealed class FailedStartTests : IDisposable
{
    private readonly string key = Guid.NewGuid().ToString("n");
    private readonly UserAssemblies assemblies = new();
    private readonly string logs = Directory.CreateTempSubdirectory("serve-failed-").FullName;

    public void Dispose() => Directory.Delete(logs, recursive: true);

    [Fact]
    public async Task Constructor_Throws_ReportsItAndLeavesNothing()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(typeof(Throwing)));

        Assert.Equal("no model file", error.Message);
        Assert.Equal(0, assemblies.Count);
        Assert.Contains("no model file", ReadLog(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reconfigure", "threshold is too high")]
    [InlineData("health", "not well")]
    public async Task Hook_ThrowsAtStart_DisposesTheObject(string fail, string message)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(typeof(Lifecycle), fail));

        Assert.Equal(message, error.Message);
        await Signals.WaitAsync($"{key}-disposed");
        Assert.False(Signals.Of($"{key}-disposed-twice").Task.IsCompleted);
        Assert.Equal(0, assemblies.Count);
    }

    [Fact]
    public async Task UserConfig_ThatDoesNotFit_NamesTheKey()
    {
        var error = await Assert.ThrowsAsync<BadInputException>(() => ReplicaHost.StartAsync(typeof(Lifecycle), new()
        {
            Assemblies = assemblies,
            LogDirectory = Path.Combine(logs, "r1"),
            Args = new() { ["key"] = key },
            UserConfig = new() { ["treshold"] = 1 },
        }));

        Assert.Equal("user_config has no key 'treshold'. Did you mean 'threshold'? It has threshold.", error.Message);
        Assert.Equal(0, assemblies.Count);
    }

    [Fact]
    public async Task Type_Unknown_IsToldByName()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() =>
            ReplicaHost.StartAsync(typeof(Counter), new() { Assemblies = assemblies, LogDirectory = Path.Combine(logs, "r1"), TypeName = "No.Such" }));

        Assert.Contains("has no class No.Such", error.Message, StringComparison.Ordinal);
    }

    private Task<ReplicaHost> StartAsync(Type sample, string fail = "") => ReplicaHost.StartAsync(sample, new()
    {
        Assemblies = assemblies,
        LogDirectory = Path.Combine(logs, "r1"),
        Args = new() { ["key"] = key, ["fail"] = fail },
        UserConfig = new() { ["threshold"] = 1 },
    });

    private string ReadLog() => File.ReadAllText(Path.Combine(logs, "r1", "replica.log"));
}
