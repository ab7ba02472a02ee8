namespace Serve.Cli.Hosting;

/// <summary>A folder below the temporary one, for this user alone, removed when disposed.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    /// <summary>Makes the folder.</summary>
    /// <param name="prefix">Begins its name.</param>
    public TemporaryDirectory(string prefix) => Path = Directory.CreateTempSubdirectory(prefix).FullName;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
