using ModelMaker;
using ModelMaker.Onnx;

namespace Serve.Models.Tests;

public sealed class CommittedModelFileTests
{
    public static TheoryData<string> Names => ["attention", "digits", "text", "types"];

    [Theory]
    [InlineData("digits", "pixels Float [N,64]", "label Int64 [N]; probabilities Float [N,10]")]
    [InlineData("text", "word String [N]; count Int64 [N]", "sentiment String [N]; score Float [N]")]
    [InlineData("attention", "tokens Float [batch,sequence,16]; mask Int64 [batch,sequence]", "embedding Float [batch,8]; attention Float [batch,sequence]")]
    public void Load_CommittedModel_DeclaresInputsAndOutputs(string name, string inputs, string outputs)
    {
        using var model = OnnxTestSession.Committed(name);

        Assert.Equal(inputs, TensorDeclarationFormatter.Of(model.Session.InputNames, model.Session.InputMetadata));
        Assert.Equal(outputs, TensorDeclarationFormatter.Of(model.Session.OutputNames, model.Session.OutputMetadata));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_CommittedModel_HasMetadata(string name)
    {
        using var model = OnnxTestSession.Committed(name);
        var metadata = model.Session.ModelMetadata;

        Assert.Equal(name, metadata.GraphName);
        Assert.Equal("serve-model-maker", metadata.ProducerName);
        Assert.Equal(1, metadata.Version);
        Assert.NotEmpty(metadata.Description);
    }

    [Fact]
    public void Load_Digits_HasLabelsInMetadata()
    {
        using var model = OnnxTestSession.Committed("digits");

        Assert.Equal("0,1,2,3,4,5,6,7,8,9", model.Session.ModelMetadata.CustomMetadataMap["labels"]);
    }

    // The trained model is compared by its results, because the last bits of its weights depend on the processor's vector instructions.
    [Fact]
    public void Build_UntrainedModels_EqualCommittedFiles()
    {
        var graphs = new Dictionary<string, OnnxGraph>
        {
            ["attention"] = new AttentionModel().Build(),
            ["text"] = TextModel.Build(),
            ["types"] = TypesModel.Build(),
        };

        foreach (var (name, graph) in graphs)
            Assert.True(graph.ToArray().SequenceEqual(File.ReadAllBytes(OnnxTestSession.CommittedPath(name))), $"{name}.onnx differs from the output of the model maker");
    }

    [Fact]
    public void Write_Folder_CreatesAllModelsAndReportsAccuracy()
    {
        using var folder = new TemporaryTestFolder();
        using var said = new StringWriter();

        CommittedModels.Write(folder.In("models"), said);

        Assert.Equal(
            Directory.GetFiles(CommittedModels.Folder, "*.onnx").Select(Path.GetFileName).Order(),
            Directory.GetFiles(folder.In("models")).Select(Path.GetFileName).Order());
        Assert.Matches(@"digits: 9[5-9]\.\d % of the test pictures are right", said.ToString());
    }

    [Fact]
    public void Folder_Repository_ContainsAtMostTwoMegabytes() =>
        Assert.InRange(Directory.GetFiles(CommittedModels.Folder, "*.onnx").Sum(file => new FileInfo(file).Length), 1, 2_000_000);
}
