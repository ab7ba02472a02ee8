using System.Globalization;

namespace Serve.Specs;

/// <summary>
/// Where the versions of a model lie within a folder: <c>VERSION/model.onnx</c>, VERSION a number from 1, as in Triton's model repositories. Packages of
/// models have the same layout.
/// </summary>
public static class ModelVersionFiles
{
    /// <summary>The end of a model's file name.</summary>
    public const string Extension = ".onnx";

    /// <summary>The name of a version's file.</summary>
    public const string FileName = "model.onnx";

    /// <summary>Finds the versions.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <returns>Each version's number and file, the lowest first. Empty when the folder holds no model.</returns>
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
