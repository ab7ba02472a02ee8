using Serve.Replica.Loading;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Activation;

public sealed class FailedReplicaStartTests : IDisposable
{
    private readonly string _key = Guid.NewGuid().ToString("n");
    private readonly UserAssemblyCache _assemblies = new();
    private readonly string _logs = Directory.CreateTempSubdirectory("serve-failed-").FullName;

    public void Dispose() => Directory.Delete(_logs, recursive: true);

    [Fact]
    public async Task Constructor_Throws_ReportsItAndLeavesNothing()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(typeof(Throwing)));

        Assert.Equal("no model file", error.Message);
        Assert.Equal(0, _assemblies.Count);
        Assert.Contains("no model file", ReadLog(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reconfigure", "threshold is too high")]
    [InlineData("health", "not well")]
    public async Task Hook_ThrowsAtStart_DisposesTheObject(string fail, string message)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(typeof(Lifecycle), fail));

        Assert.Equal(message, error.Message);
        await TestSignals.WaitAsync($"{_key}-disposed");
        Assert.False(TestSignals.Of($"{_key}-disposed-twice").Task.IsCompleted);
        Assert.Equal(0, _assemblies.Count);
    }

    [Fact]
    public async Task UserConfig_ThatDoesNotFit_NamesTheKey()
    {
        var error = await Assert.ThrowsAsync<BadInputException>(() => ReplicaTestHost.StartAsync(typeof(Lifecycle), new()
        {
            Assemblies = _assemblies,
            LogRoot = _logs,
            Args = new() { ["key"] = _key },
            UserConfig = new() { ["treshold"] = 1 },
        }));

        Assert.Equal("user_config has an unknown key 'treshold'. Did you mean 'threshold'? Known keys are threshold.", error.Message);
        Assert.Equal(0, _assemblies.Count);
    }

    [Fact]
    public async Task Type_Unknown_ErrorNamesIt()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() =>
            ReplicaTestHost.StartAsync(typeof(Counter), new() { Assemblies = _assemblies, LogRoot = _logs, TypeName = "No.Such" }));

        Assert.Contains("Class No.Such not found in", error.Message, StringComparison.Ordinal);
    }

    private Task<ReplicaTestHost> StartAsync(Type sample, string fail = "") => ReplicaTestHost.StartAsync(sample, new()
    {
        Assemblies = _assemblies,
        LogRoot = _logs,
        Args = new() { ["key"] = _key, ["fail"] = fail },
        UserConfig = new() { ["threshold"] = 1 },
    });

    private string ReadLog() => File.ReadAllText(Assert.Single(Directory.GetFiles(_logs, "replica.log", SearchOption.AllDirectories)));
}
