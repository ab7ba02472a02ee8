namespace Serve.Testing;

/// <summary>A folder for one test: state directories, files, and the temporary folder of the processes it starts.</summary>
public sealed class ScratchDirectory : IDisposable
{
    public ScratchDirectory() => Directory.CreateDirectory(Temporary);

    public string Path { get; } = Directory.CreateTempSubdirectory("serve-test-").FullName;

    /// <summary>What processes get as TMPDIR, so that what they leave there is seen.</summary>
    public string Temporary => In("tmp");

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(In(name), text);
        return In(name);
    }

    /// <summary>Every file and socket that the processes left in their temporary folder.</summary>
    public List<string> Leftovers() =>
        [.. Directory.EnumerateFileSystemEntries(Temporary, "*", SearchOption.AllDirectories).Select(entry => System.IO.Path.GetRelativePath(Temporary, entry))];

    /// <summary>Every live process that was started, by whichever generation, with this folder as its temporary one.</summary>
    public List<int> Processes() => LinuxProcessTable.WithEnvironment("TMPDIR=" + Temporary);

    public void Dispose()
    {
        foreach (var pid in Processes())
            LinuxProcessTable.Kill(pid);
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
