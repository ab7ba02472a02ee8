using System.Globalization;

namespace Serve.Specs;

/// <summary>
/// Folder layout of a model with its versions: <c>VERSION/model.onnx</c>, where VERSION is an integer from 1, as in Triton's model repositories. Packages of models
/// have the same layout.
/// </summary>
public static class ModelVersionFiles
{
    /// <summary>File name extension of a model.</summary>
    public const string Extension = ".onnx";

    /// <summary>File name of a version.</summary>
    public const string FileName = "model.onnx";

    /// <summary>Finds the versions of a model, in ascending order.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <returns>Number and file of each version; empty if the folder contains no model.</returns>
    public static IReadOnlyList<(long Version, string File)> Find(string folder) =>
        [.. from directory in Directory.EnumerateDirectories(folder)
            let number = Parse(Path.GetFileName(directory))
            where number is not null
            let file = Path.Combine(directory, FileName)
            where File.Exists(file)
            orderby number.Value
            select (number.Value, file)];

    private static long? Parse(string name) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && name[0] != '0' ? number : null;
}
