namespace Serve.Testing;

/// <summary>Temporary folder, deleted after the test.</summary>
public sealed class TemporaryTestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("serve-tests-").FullName;

    public string Write(string name, string text)
    {
        var file = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
