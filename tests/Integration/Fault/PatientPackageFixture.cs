using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>The sample as a package, built once for all tests: a build costs seconds.</summary>
public sealed class PatientPackageFixture : IAsyncLifetime, IDisposable
{
    private readonly ScratchDirectory _scratch = new();

    /// <summary>The package.</summary>
    public string Zip => _scratch.In("patient.zip");

    public async Task InitializeAsync()
    {
        var (code, output, errors) = await ServeCliProcess.RunAsync(_scratch, "build", ServeExecutable.Sample("Patient.cs"), "-o", Zip);
        Assert.True(code == 0, output + errors);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();
}
