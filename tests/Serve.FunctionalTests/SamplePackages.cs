using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The samples as packages, built once for all tests: a build costs seconds.</summary>
public sealed class SamplePackages : IAsyncLifetime, IDisposable
{
    private readonly Scratch scratch = new();

    public string Lab => scratch.In("Lab.zip");

    public string LabTwo => scratch.In("LabTwo.zip");

    public string LabBroken => scratch.In("LabBroken.zip");

    public async Task InitializeAsync()
    {
        foreach (var name in new[] { "Lab", "LabTwo", "LabBroken" })
        {
            var (code, _, errors) = await ServeProcess.RunAsync(scratch, "build", ServeBinary.Sample(name + ".cs"), "-o", scratch.In(name + ".zip"));
            Assert.True(code == 0, errors);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => scratch.Dispose();
}
