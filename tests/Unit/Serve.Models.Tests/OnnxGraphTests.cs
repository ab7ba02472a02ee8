using ModelMaker.Onnx;

namespace Serve.Models.Tests;

public sealed class OnnxGraphTests
{
    [Fact]
    public void Node_UnknownInput_NamesIt() => AssertNames("b", graph => graph.Node("Add", ["a", "b"], ["c"]));

    [Fact]
    public void Node_DuplicateOutput_NamesIt() => AssertNames("a", graph => graph.Node("Identity", ["a"], ["a"]));

    [Fact]
    public void Output_Undefined_NamesIt() => AssertNames("z", graph => graph.Output("z", OnnxType.Float32, "N"));

    [Fact]
    public void Weights_WrongShape_NamesBothSizes()
    {
        var refused = AssertNames("w", graph => graph.Weights("w", [1f, 2f, 3f], 2, 2));
        Assert.Contains("4", refused.Message, StringComparison.Ordinal);
        Assert.Contains("3", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_MissingFolder_CreatesIt()
    {
        using var folder = new TemporaryTestFolder();
        var path = Path.Combine(folder.In("deeper"), "model.onnx");

        Graph().Node("Identity", ["a"], ["b"]).Output("b", OnnxType.Float32, "N").Save(path);

        using var model = OnnxTestSession.Open(path);
        using var answer = model.Run(("a", OnnxTestSession.Tensor<float>([4], 1)));
        Assert.Equal([4f], answer.Values<float>("b"));
    }

    [Fact]
    public void Save_ExternalDataFirst_KeepsGraphUnchanged()
    {
        using var folder = new TemporaryTestFolder();
        var graph = Graph().Weights("w", [3f]).Node("Mul", ["a", "w"], ["b"]).Output("b", OnnxType.Float32, "N");

        graph.Save(folder.In("apart"), externalData: true);
        graph.Save(folder.In("whole"));
        File.Delete(folder.In("apart.data"));

        using var model = OnnxTestSession.Open(folder.In("whole"));
        using var answer = model.Run(("a", OnnxTestSession.Tensor<float>([4], 1)));
        Assert.Equal([12f], answer.Values<float>("b"));
    }

    private static ArgumentException AssertNames(string name, Action<OnnxGraph> mistake)
    {
        var refused = Assert.Throws<ArgumentException>(() => mistake(Graph()));
        Assert.Contains($"'{name}'", refused.Message, StringComparison.Ordinal);
        return refused;
    }

    private static OnnxGraph Graph() => new OnnxGraph("test").Input("a", OnnxType.Float32, "N");
}
