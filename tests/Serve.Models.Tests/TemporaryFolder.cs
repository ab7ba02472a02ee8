namespace Serve.Models.Tests;

/// <summary>A folder for one test's model files.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("serve-models-").FullName;

    public string In(string name) => Path.Combine(path, name);

    public void Dispose() => Directory.Delete(path, recursive: true);
}
