namespace Serve.FunctionalTests.OpenInference;

/// <summary>The tests of the protocol share one node.</summary>
[CollectionDefinition(Name)]
public sealed class InferenceCollection : ICollectionFixture<InferenceNode>
{
    public const string Name = "open inference";
}
