namespace Serve.FunctionalTests;

/// <summary>All tests, one after the other: they measure time and count processes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FunctionalTestCollection : ICollectionFixture<SamplePackageFixture>
{
    public const string Name = "functional";
}
