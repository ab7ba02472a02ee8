using Microsoft.ML.OnnxRuntime;
using ModelMaker;

namespace Serve.Models.Tests;

public sealed class BrokenModelFileTests
{
    public static TheoryData<string, string> Kinds => new()
    {
        { nameof(BrokenModels.WriteNoModel), "Protobuf parsing failed" },
        { nameof(BrokenModels.WriteEmpty), "No graph was found" },
        { nameof(BrokenModels.WriteTruncated), "Protobuf parsing failed" },
        { nameof(BrokenModels.WriteOpsetTooNew), "9999" },
        { nameof(BrokenModels.WriteUnknownOperator), "Divinate" },
        { nameof(BrokenModels.WriteMissingExternalData), "broken.onnx.data" },
        { nameof(BrokenModels.WriteShortExternalData), "can not be read in full" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Load_BrokenModel_FailsWithItsReason(string kind, string reason)
    {
        using var folder = new TemporaryTestFolder();
        var path = folder.In("broken.onnx");
        typeof(BrokenModels).GetMethod(kind)!.Invoke(null, [path]);

        var refused = Assert.Throws<OnnxRuntimeException>(() => OnnxTestSession.Open(path));
        Assert.True(refused.Message.Contains(reason, StringComparison.Ordinal), refused.Message);
    }
}
