namespace Serve.FunctionalTests.Harness;

/// <summary>A folder for one test: state directories, files, and the temporary folder of the processes it starts.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch() => Directory.CreateDirectory(Temporary);

    public string Path { get; } = Directory.CreateTempSubdirectory("serve-functional-").FullName;

    /// <summary>What processes get as TMPDIR, so that what they leave there is seen.</summary>
    public string Temporary => In("tmp");

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(In(name), text);
        return In(name);
    }

    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
