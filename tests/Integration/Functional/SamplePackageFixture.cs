using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Packages of the samples, built once for all tests because a build takes seconds.</summary>
public sealed class SamplePackageFixture : IAsyncLifetime, IDisposable
{
    private readonly ScratchDirectory _scratch = new();

    public string Lab => _scratch.In("Lab.zip");

    public string LabTwo => _scratch.In("LabTwo.zip");

    public string LabBroken => _scratch.In("LabBroken.zip");

    public string Work => _scratch.In("Work.zip");

    public string Zoo => _scratch.In("Zoo.zip");

    public string Keeper => _scratch.In("Keeper.zip");

    public string Chatty => _scratch.In("Chatty.zip");

    public string Unicode => _scratch.In("Unicode.zip");

    public string Nested => _scratch.In("Nested.zip");

    public string Digits => _scratch.In("Digits.zip");

    /// <summary>The second version of Digits, with the same model and other code.</summary>
    public string DigitsTwo => _scratch.In("DigitsTwo.zip");

    public async Task InitializeAsync()
    {
        await BuildAsync(ServeExecutable.Sample("Lab.cs"), Lab);
        await BuildAsync(_scratch.Write("LabTwo.cs", LabTwoSource()), LabTwo);
        await BuildAsync(ServeExecutable.Sample("LabBroken.cs"), LabBroken);
        await BuildAsync(ServeExecutable.Sample("Work.cs"), Work);
        await BuildAsync(ServeExecutable.Sample("Zoo.cs"), Zoo);
        await BuildAsync(_scratch.Write("Keeper.cs", File.ReadAllText(ServeExecutable.Sample("Zoo.cs")) + File.ReadAllText(ServeExecutable.Sample("Keeper.cs"))), Keeper);
        await BuildAsync(ServeExecutable.Sample("Unicode.cs"), Unicode);
        await BuildAsync(ServeExecutable.Sample("Chatty.cs"), Chatty);
        await BuildAsync(ServeExecutable.Sample("Nested.cs") + ":Front", Nested);
        await BuildAsync(Path.Combine(ServeExecutable.Root, "deployments", "Digits.cs"), Digits);
        await BuildAsync(_scratch.Write("DigitsTwo.cs", File.ReadAllText(Path.Combine(ServeExecutable.Root, "deployments", "Digits.cs"))
            .Replace("model.ExecutionProvider }", "model.ExecutionProvider, version = 2 }", StringComparison.Ordinal).Replace("class Digits", "class DigitsTwo", StringComparison.Ordinal)
            .Replace("[Deployment]", "[Deployment(\"Digits\")]", StringComparison.Ordinal)), DigitsTwo);
    }

    /// <summary>Source of the second version of Lab, which differs only in the version that it returns.</summary>
    public static string LabTwoSource() =>
        File.ReadAllText(ServeExecutable.Sample("Lab.cs")).Replace("Version() => \"one\"", "Version() => \"two\"", StringComparison.Ordinal);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();

    private async Task BuildAsync(string source, string package)
    {
        var (code, _, errors) = await ServeCliProcess.RunAsync(_scratch, "build", source, "-o", package);
        Assert.True(code == 0, errors);
    }
}

/// <summary>Runs all tests sequentially, because they measure time and count processes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FunctionalTestCollection : ICollectionFixture<SamplePackageFixture>
{
    public const string Name = "functional";
}
