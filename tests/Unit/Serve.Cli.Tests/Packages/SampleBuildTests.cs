using Serve.Cli.Hosting;
using Serve.Controller.Builds;
using Serve.Controller.Packages;

namespace Serve.Cli.Tests.Packages;

/// <summary>Each sample builds without changes.</summary>
public sealed class SampleBuildTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Counter.cs", "Counter", 1)]
    [InlineData("Calculator.cs", "Calculator", 1)]
    [InlineData("Pipeline.cs", "Pipeline", 3)]
    public async Task PrepareAsync_Sample_Builds(string file, string ingress, int deployments)
    {
        var store = new ApplicationPackageStore(_folder.In("packages"));
        var source = new PackageApplicationSource(new ApplicationPackageBuilder(store, _folder.In("builds"), null, TimeProvider.System), store, new PackageInspector());

        var package = await source.PrepareAsync(Path.Combine(RepositoryRoot.Root, "deployments", file), CancellationToken.None);

        Assert.Equal(ingress, package.Ingress);
        Assert.Equal(deployments, package.Deployments.Length);
    }
}
