using ModelMaker;

namespace Serve.Models.Tests;

/// <summary>The command line of the model maker, run in this process.</summary>
public sealed class ModelMakerProgramTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Convnet_Options_AreApplied()
    {
        Assert.Equal(0, Run("convnet", _folder.In("asked"), "--seed", "9", "--width", "2", "--external-data"));

        ConvNet.Write(_folder.In("expected"), seed: 9, width: 2, externalData: true);
        Assert.Equal(File.ReadAllBytes(_folder.In("expected.data")), File.ReadAllBytes(_folder.In("asked.data")));
    }

    [Fact]
    public void Mlp_Options_AreApplied()
    {
        Assert.Equal(0, Run("mlp", _folder.In("asked"), "--seed", "9", "--width", "8", "--layers", "3"));

        Mlp.Write(_folder.In("expected"), seed: 9, width: 8, layers: 3);
        Assert.Equal(File.ReadAllBytes(_folder.In("expected")), File.ReadAllBytes(_folder.In("asked")));
    }

    [Fact]
    public void Folder_Argument_ReceivesCommittedModels()
    {
        Assert.Equal(0, Run(_folder.In("models")));

        Assert.Equal(File.ReadAllBytes(OnnxTestSession.CommittedPath("text")), File.ReadAllBytes(Path.Combine(_folder.In("models"), "text.onnx")));
    }

    [Fact]
    public void Convnet_MissingPath_Fails() => Assert.NotEqual(0, Run("convnet"));

    private static int Run(params string[] args) => (int)typeof(CommittedModels).Assembly.EntryPoint!.Invoke(null, [args])!;
}
