namespace Serve.Models.Tests;

/// <summary>A folder for one test's model files.</summary>
internal sealed class TemporaryModelFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("serve-models-").FullName;

    public string In(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
