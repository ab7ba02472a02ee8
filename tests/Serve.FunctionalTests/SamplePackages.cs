using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The samples as packages, built once for all tests: a build costs seconds.</summary>
public sealed class SamplePackages : IAsyncLifetime, IDisposable
{
    private readonly Scratch scratch = new();

    public string Lab => scratch.In("Lab.zip");

    public string LabTwo => scratch.In("LabTwo.zip");

    public string LabBroken => scratch.In("LabBroken.zip");

    public string Work => scratch.In("Work.zip");

    public string Zoo => scratch.In("Zoo.zip");

    public string Keeper => scratch.In("Keeper.zip");

    public string Digits => scratch.In("Digits.zip");

    public async Task InitializeAsync()
    {
        await BuildAsync(ServeBinary.Sample("Lab.cs"), Lab);
        await BuildAsync(scratch.Write("LabTwo.cs", LabTwoSource()), LabTwo);
        await BuildAsync(ServeBinary.Sample("LabBroken.cs"), LabBroken);
        await BuildAsync(ServeBinary.Sample("Work.cs"), Work);
        await BuildAsync(ServeBinary.Sample("Zoo.cs"), Zoo);
        await BuildAsync(scratch.Write("Keeper.cs", File.ReadAllText(ServeBinary.Sample("Zoo.cs")) + File.ReadAllText(ServeBinary.Sample("Keeper.cs"))), Keeper);
        await BuildAsync(Path.Combine(ServeBinary.Root, "deployments", "Digits.cs"), Digits);
    }

    /// <summary>The next version of Lab: the same but for what it says of itself.</summary>
    public static string LabTwoSource() =>
        File.ReadAllText(ServeBinary.Sample("Lab.cs")).Replace("Version() => \"one\"", "Version() => \"two\"", StringComparison.Ordinal);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => scratch.Dispose();

    private async Task BuildAsync(string source, string package)
    {
        var (code, _, errors) = await ServeProcess.RunAsync(scratch, "build", source, "-o", package);
        Assert.True(code == 0, errors);
    }
}
