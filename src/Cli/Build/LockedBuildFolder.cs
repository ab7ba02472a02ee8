namespace Serve.Cli.Build;

/// <summary>
/// The folder in which one target is built, kept so that unchanged code is not built again. Held by one build at a time, whichever
/// process that is in; disposing lets the next one in.
/// </summary>
internal sealed class LockedBuildFolder : IDisposable
{
    private const string FingerprintFile = "fingerprint";
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(50);
    private readonly FileStream _heldLock;

    private LockedBuildFolder(string directory, FileStream heldLock)
    {
        Directory = directory;
        this._heldLock = heldLock;
    }

    /// <summary>The folder.</summary>
    public string Directory { get; }

    /// <summary>Where the result lies.</summary>
    public string Output => Path.Combine(Directory, SourceFileProject.OutputFolder);

    /// <summary>Waits for the folder of a target.</summary>
    /// <param name="root">Where build folders are.</param>
    /// <param name="source">The target, absolute.</param>
    /// <param name="time">The clock to wait by.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The folder, held.</returns>
    public static async Task<LockedBuildFolder> AcquireAsync(string root, string source, TimeProvider time, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(root, $"{Path.GetFileNameWithoutExtension(source)}-{PackageContentHash.Of(source)[..12]}");
        System.IO.Directory.CreateDirectory(directory);
        while (true)
        {
            try
            {
                return new(directory, new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && !cancellationToken.IsCancellationRequested && IsSharing(e))
            {
                await Task.Delay(LockRetry, time, cancellationToken);
            }
        }
    }

    /// <summary>Whether the result was made from the same input.</summary>
    /// <param name="fingerprint">The input's hash.</param>
    /// <returns>Whether there is nothing to build.</returns>
    public bool IsCurrent(string fingerprint)
    {
        var file = Path.Combine(Directory, FingerprintFile);
        return File.Exists(file) && File.ReadAllText(file) == fingerprint && System.IO.Directory.Exists(Output);
    }

    /// <summary>Empties the result before a build; a build that breaks off leaves nothing that looks current.</summary>
    public void BeginBuild()
    {
        File.Delete(Path.Combine(Directory, FingerprintFile));
        if (System.IO.Directory.Exists(Output))
            System.IO.Directory.Delete(Output, recursive: true);
    }

    /// <summary>Says that the result is complete.</summary>
    /// <param name="fingerprint">What it was made from.</param>
    public void CompleteBuild(string fingerprint) => File.WriteAllText(Path.Combine(Directory, FingerprintFile), fingerprint);

    /// <inheritdoc/>
    public void Dispose() => _heldLock.Dispose();

    // .NET reports a file locked by another with these: EWOULDBLOCK (Linux, macOS) and ERROR_SHARING_VIOLATION.
    private static bool IsSharing(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32;
}
