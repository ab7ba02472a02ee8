namespace Serve.Testing;

/// <summary>Folder of one test: state directories, files, and the temporary folder of its processes.</summary>
public sealed class ScratchDirectory : IDisposable
{
    public ScratchDirectory() => Directory.CreateDirectory(Temporary);

    public string Path { get; } = Directory.CreateTempSubdirectory("serve-test-").FullName;

    /// <summary>TMPDIR of the processes, to detect files that they leave behind.</summary>
    public string Temporary => In("tmp");

    /// <summary>Command and arguments that start the CLI, for instance <c>env NAME=VALUE</c> or <c>prlimit --nofile=256</c>; empty to start it directly.</summary>
    public IReadOnlyList<string> Launcher { get; set; } = [];

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(In(name), text);
        return In(name);
    }

    /// <summary>Files and sockets in the temporary folder.</summary>
    public List<string> Leftovers() =>
        [.. Directory.EnumerateFileSystemEntries(Temporary, "*", SearchOption.AllDirectories).Select(entry => System.IO.Path.GetRelativePath(Temporary, entry))];

    /// <summary>Running processes of all generations that use this temporary folder.</summary>
    public List<int> Processes() => LinuxProcessTable.WithEnvironment("TMPDIR=" + Temporary);

    public void Dispose()
    {
        foreach (var pid in Processes())
            LinuxProcessTable.Kill(pid);
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
