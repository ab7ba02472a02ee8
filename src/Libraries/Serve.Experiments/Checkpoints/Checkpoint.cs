using System.Text.Json;

namespace Serve.Experiments.Checkpoints;

/// <summary>A folder with the saved state of a trial. Immutable once it is stored.</summary>
/// <param name="Path">The full path of the folder.</param>
public sealed record Checkpoint(string Path)
{
    private const string ValueFile = "value.json";

    /// <summary>Creates a writer of a checkpoint that consists of one value, stored as JSON.</summary>
    public static Action<string> Of<T>(T value) => folder => File.WriteAllBytes(System.IO.Path.Combine(folder, ValueFile), JsonSerializer.SerializeToUtf8Bytes(value));

    /// <summary>Reads the value of a checkpoint that <see cref="Of{T}"/> wrote.</summary>
    /// <exception cref="FileNotFoundException">The checkpoint was written by other code.</exception>
    public T Read<T>() => JsonSerializer.Deserialize<T>(File.ReadAllBytes(FileOf(ValueFile))) ?? throw new JsonException($"The value of checkpoint '{Path}' must not be null.");

    /// <summary>Gets the path of a file of the checkpoint.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist; the message lists the files.</exception>
    public string FileOf(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (File.Exists(path))
            return path;
        var files = Directory.Exists(Path) ? string.Join(", ", Directory.GetFiles(Path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(Path, file))) : "the folder does not exist";
        throw new FileNotFoundException($"Checkpoint '{Path}' has no file '{name}'. Files: {files}.", path);
    }
}
