using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>A chapter of the specification: one test per requirement on a server, for each transport.</summary>
[Collection(InferenceTestCollection.Name)]
public abstract class SpecificationChapter(InferenceTestNode node)
{
    /// <summary>All transports.</summary>
    public static TheoryData<ProtocolTransport> Transports { get; } = [.. Enum.GetValues<ProtocolTransport>()];

    internal static ProtocolInput Pixels { get; } = new("pixels", "FP32", "[1,64]", InferenceSamples.Three);

    protected InferenceTestNode Node => node;

    internal IProtocolClient By(ProtocolTransport transport) => transport == ProtocolTransport.Rest ? new RestProtocolClient(node.Http) : new GrpcProtocolClient(node.Rpc);

    internal static async Task RefusedAsync(StatusCode status, string text, Func<Task> ask)
    {
        var error = await Assert.ThrowsAsync<ProtocolErrorException>(ask);
        Assert.True(error.Status == status && error.Message.Contains(text, StringComparison.Ordinal), $"{error.Status}: {error.Message}");
    }

    /// <summary>Deploys a copy of a model under a test's own name.</summary>
    protected async Task DeployAsync(string name, string model = "digits")
    {
        File.Copy(InferenceTestNode.Model(model + ".onnx"), node.Node.Scratch.In(name + ".onnx"), overwrite: true);
        await node.DeployAsync(node.Node.Scratch.In(name + ".onnx"));
    }
}
