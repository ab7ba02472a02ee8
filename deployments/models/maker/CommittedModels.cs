using ModelMaker.Digits;

namespace ModelMaker;

/// <summary>The models that are committed to the repository.</summary>
public static class CommittedModels
{
    /// <summary>Folder of the models in the repository that contains the program.</summary>
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

    /// <summary>Creates all models.</summary>
    /// <param name="folder">Output folder.</param>
    /// <param name="output">Receives a report of the written files and the accuracy of the trained model.</param>
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
