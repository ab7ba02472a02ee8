using Microsoft.ML.OnnxRuntime;
using ModelMaker;

namespace Serve.Models.Tests;

public sealed class ConvNetModelTests : IDisposable
{
    private const int Pixels = 3 * ConvNet.ImageSize * ConvNet.ImageSize;

    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_DefaultSize_Is18LayerNetwork()
    {
        ConvNet.Write(_folder.In("convnet.onnx"));

        // 11.7 million weights of 4 bytes.
        Assert.InRange(new FileInfo(_folder.In("convnet.onnx")).Length, 46_000_000, 47_500_000);
        using var model = OnnxTestSession.Open(_folder.In("convnet.onnx"));
        Assert.Equal("image Float [N,3,224,224]", TensorDeclarationFormatter.Of(model.Session.InputNames, model.Session.InputMetadata));
        Assert.Equal("logits Float [N,1000]", TensorDeclarationFormatter.Of(model.Session.OutputNames, model.Session.OutputMetadata));

        var logits = Logits(model, Image(seed: 1));
        Assert.Equal(1000, logits.Distinct().Count());
        Assert.All(logits, logit => Assert.InRange(logit, -1000, 1000));
    }

    [Fact]
    public void Write_SameSeed_ProducesSameBytes()
    {
        Write("a", seed: 5);
        Write("b", seed: 5);
        Write("c", seed: 6);

        Assert.Equal(File.ReadAllBytes(_folder.In("a")), File.ReadAllBytes(_folder.In("b")));
        Assert.NotEqual(File.ReadAllBytes(_folder.In("a")), File.ReadAllBytes(_folder.In("c")));
    }

    [Fact]
    public void Run_Batch_EqualsSingleRuns()
    {
        Write("small");
        using var model = OnnxTestSession.Open(_folder.In("small"));
        var (first, second) = (Image(seed: 1), Image(seed: 2));

        var both = Logits(model, first, second);

        AssertClose(Logits(model, first), both[..1000]);
        AssertClose(Logits(model, second), both[1000..]);
        Assert.NotEqual(both[..1000], both[1000..]);
    }

    [Fact]
    public void Run_SmallNetwork_MatchesReference()
    {
        ConvNet.Write(_folder.In("tiny"), seed: 4, width: 2);
        using var model = OnnxTestSession.Open(_folder.In("tiny"));

        AssertClose(new ReferenceConvNet(seed: 4, width: 2).Logits(Image(seed: 1)), Logits(model, Image(seed: 1)));
    }

    [Fact]
    public void Write_ExternalData_SameResultFromTwoFiles()
    {
        Write("one");
        Write("two", externalData: true);
        using var one = OnnxTestSession.Open(_folder.In("one"));
        using var two = OnnxTestSession.Open(_folder.In("two"));

        Assert.InRange(new FileInfo(_folder.In("two")).Length, 1, 20_000);
        Assert.InRange(new FileInfo(_folder.In("two.data")).Length, 190_000, 1_000_000);
        Assert.Equal(Logits(one, Image(seed: 3)), Logits(two, Image(seed: 3)));
    }

    [Fact]
    public void Load_ExternalDataDeleted_Fails()
    {
        Write("lost", externalData: true);
        File.Delete(_folder.In("lost.data"));

        var refused = Assert.Throws<OnnxRuntimeException>(() => OnnxTestSession.Open(_folder.In("lost")));
        Assert.Contains("lost.data", refused.Message, StringComparison.Ordinal);
    }

    private void Write(string name, ulong seed = 1, bool externalData = false) => ConvNet.Write(_folder.In(name), seed, width: 4, externalData);

    private static float[] Image(ulong seed) => new SeededRandom(seed).Spread(Pixels, 1);

    private static float[] Logits(OnnxTestSession model, params float[][] images)
    {
        using var answer = model.Run(("image", OnnxTestSession.Tensor(images.SelectMany(pixels => pixels).ToArray(), images.Length, 3, 224, 224)));
        return answer.Values<float>("logits");
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (a, b) in expected.Zip(actual))
            Assert.Equal(a, b, 1e-3f);
    }
}
