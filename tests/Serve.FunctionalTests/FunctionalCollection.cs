namespace Serve.FunctionalTests;

/// <summary>All tests, one after the other: they measure time and count processes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FunctionalCollection : ICollectionFixture<SamplePackages>
{
    public const string Name = "functional";
}
