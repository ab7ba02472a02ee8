namespace Serve.FunctionalTests.OpenInference;

/// <summary>The tests of the protocol share a node.</summary>
[CollectionDefinition(Name)]
public sealed class InferenceTestCollection : ICollectionFixture<InferenceTestNode>
{
    public const string Name = "open inference";
}
