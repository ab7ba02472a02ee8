using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>Model files that cannot be loaded, each for a different reason.</summary>
public static class BrokenModels
{
    /// <summary>A text file.</summary>
    public static void WriteNoModel(string path) => File.WriteAllText(path, "This is no ONNX model.\n");

    /// <summary>An empty file.</summary>
    public static void WriteEmpty(string path) => File.WriteAllBytes(path, []);

    /// <summary>A model file that is truncated in its weights.</summary>
    public static void WriteTruncated(string path) => File.WriteAllBytes(path, Sound().ToArray()[..^100]);

    /// <summary>A model with an operator set that does not exist yet.</summary>
    public static void WriteOpsetTooNew(string path)
    {
        var graph = Sound();
        graph.RequireOpset(9999);
        graph.Save(path);
    }

    /// <summary>A model with an operator that does not exist.</summary>
    public static void WriteUnknownOperator(string path) => new OnnxGraph("unknown_operator")
        .Input("x", OnnxType.Float32, "N")
        .Node("Divinate", ["x"], ["y"])
        .Output("y", OnnxType.Float32, "N")
        .Save(path);

    /// <summary>A model whose external data file, <paramref name="path"/> plus ".data", is missing.</summary>
    public static void WriteMissingExternalData(string path)
    {
        Sound().Save(path, externalData: true);
        File.Delete(path + ".data");
    }

    /// <summary>A model whose external data file is too short.</summary>
    public static void WriteShortExternalData(string path)
    {
        Sound().Save(path, externalData: true);
        using var data = File.OpenWrite(path + ".data");
        data.SetLength(data.Length - 100);
    }

    private static OnnxGraph Sound() => new OnnxGraph("sound")
        .Input("x", OnnxType.Float32, "N", 64)
        .Weights("weight", new SeededRandom(1).Weights(64 * 64, 64), 64, 64)
        .Node("MatMul", ["x", "weight"], ["y"])
        .Output("y", OnnxType.Float32, "N", 64);
}
