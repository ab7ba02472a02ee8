using ModelMaker.Digits;

namespace ModelMaker;

/// <summary>The models that lie in the repository beside the maker.</summary>
public static class CommittedModels
{
    /// <summary>Where they lie: found from the folder that the program runs in, upwards.</summary>
    /// <exception cref="DirectoryNotFoundException">The program runs outside the repository.</exception>
    public static string Folder
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Serve.sln")))
                folder = folder.Parent;
            return folder is null
                ? throw new DirectoryNotFoundException("The program runs outside the repository: name the folder to write to.")
                : Path.Combine(folder.FullName, "deployments", "models");
        }
    }

    /// <summary>Makes all of them anew.</summary>
    /// <param name="folder">Where to write them.</param>
    /// <param name="output">Where to say what was written, and how good the trained one is.</param>
    public static void Write(string folder, TextWriter output)
    {
        var digits = DigitClassifier.Train(DigitClassifier.TrainingImages());
        output.WriteLine($"digits: {digits.Accuracy(DigitClassifier.TestImages()):P1} of the test pictures are right");

        foreach (var (name, graph) in new[]
        {
            ("digits", digits.Export()),
            ("text", TextModel.Build()),
            ("attention", new AttentionModel().Build()),
            ("types", TypesModel.Build()),
        })
        {
            var path = Path.Combine(folder, name + ".onnx");
            graph.Save(path);
            output.WriteLine($"{path}: {new FileInfo(path).Length} bytes");
        }
    }
}
