namespace Serve.FaultTests;

/// <summary>All tests, one after the other: they measure time and count processes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FaultTestCollection : ICollectionFixture<PatientPackageFixture>
{
    public const string Name = "faults";
}
