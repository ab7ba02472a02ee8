using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>The sample as a package, built once for all tests: a build costs seconds.</summary>
public sealed class PatientPackage : IAsyncLifetime, IDisposable
{
    private readonly Scratch scratch = new();

    /// <summary>The package.</summary>
    public string Zip => scratch.In("patient.zip");

    public async Task InitializeAsync()
    {
        var (code, output, errors) = await ServeProcess.RunAsync(scratch, "build", ServeBinary.Sample("Patient.cs"), "-o", Zip);
        Assert.True(code == 0, output + errors);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => scratch.Dispose();
}
