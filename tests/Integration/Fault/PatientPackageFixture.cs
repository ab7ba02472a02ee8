using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Package of the sample, built once for all tests because a build takes seconds.</summary>
public sealed class PatientPackageFixture : IAsyncLifetime, IDisposable
{
    private readonly ScratchDirectory _scratch = new();

    /// <summary>Path of the package.</summary>
    public string Zip => _scratch.In("patient.zip");

    public async Task InitializeAsync()
    {
        var (code, output, errors) = await ServeCliProcess.RunAsync(_scratch, "build", ServeExecutable.Sample("Patient.cs"), "-o", Zip);
        Assert.True(code == 0, output + errors);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();
}

/// <summary>Runs all tests sequentially, because they measure time and count processes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FaultTestCollection : ICollectionFixture<PatientPackageFixture>
{
    public const string Name = "faults";
}
