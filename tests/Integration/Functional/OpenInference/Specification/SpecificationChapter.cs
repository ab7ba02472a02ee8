using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>A chapter of the specification: a test for each of its sentences that says how a server is to be, over each transport that it holds for.</summary>
[Collection(InferenceTestCollection.Name)]
public abstract class SpecificationChapter(InferenceTestNode node)
{
    /// <summary>Both transports.</summary>
    public static TheoryData<ProtocolTransport> Transports { get; } = [.. Enum.GetValues<ProtocolTransport>()];

    internal static ProtocolInput Pixels { get; } = new("pixels", "FP32", "[1,64]", InferenceSamples.Three);

    protected InferenceTestNode Node => node;

    internal IProtocolClient By(ProtocolTransport transport) => transport == ProtocolTransport.Rest ? new RestProtocolClient(node.Http) : new GrpcProtocolClient(node.Rpc);

    internal static async Task RefusedAsync(StatusCode status, string text, Func<Task> ask)
    {
        var error = await Assert.ThrowsAsync<ProtocolErrorException>(ask);
        Assert.True(error.Status == status && error.Message.Contains(text, StringComparison.Ordinal), $"{error.Status}: {error.Message}");
    }

    /// <summary>A copy of a model under a name of the test's own.</summary>
    protected async Task DeployAsync(string name, string model = "digits")
    {
        File.Copy(InferenceTestNode.Model(model + ".onnx"), node.Node.Scratch.In(name + ".onnx"), overwrite: true);
        await node.DeployAsync(node.Node.Scratch.In(name + ".onnx"));
    }
}
