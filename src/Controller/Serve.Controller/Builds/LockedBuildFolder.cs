using Serve.Controller.Packages;

namespace Serve.Controller.Builds;

/// <summary>
/// Build folder of one target, kept so that unchanged code is not rebuilt. Locked across processes: one build at a time holds it, until disposal.
/// </summary>
internal sealed class LockedBuildFolder : IDisposable
{
    private const string FingerprintFile = "fingerprint";

    /// <summary>Written by UserCode.targets: the files and projects that the build of a C# file reads, one per line.</summary>
    private const string InputsFile = "inputs.txt";

    private static readonly TimeSpan LockRetryDelay = TimeSpan.FromMilliseconds(50);
    private readonly string _source;
    private readonly FileStream _lock;

    private LockedBuildFolder(string directory, string source, FileStream heldLock) => (Directory, _source, _lock) = (directory, source, heldLock);

    public string Directory { get; }

    /// <summary>Folder that receives the build's output.</summary>
    public string Output => Path.Combine(Directory, "out");

    /// <summary>Acquires the build folder of a target; waits while another build holds it.</summary>
    /// <param name="root">Root of all build folders.</param>
    /// <param name="source">The target's absolute path.</param>
    /// <param name="time">Clock for the retries.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<LockedBuildFolder> AcquireAsync(string root, string source, TimeProvider time, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(root, $"{Path.GetFileNameWithoutExtension(source)}-{PackageContentHash.Of(source)[..12]}");
        System.IO.Directory.CreateDirectory(directory);
        while (true)
        {
            try
            {
                return new(directory, source, new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && !cancellationToken.IsCancellationRequested && IsSharingViolation(e))
            {
                await Task.Delay(LockRetryDelay, time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Returns whether the output was built from an input with this fingerprint. False if the build read anything besides the target: only MSBuild can
    /// determine whether a referenced project is up to date.
    /// </summary>
    public bool IsCurrent(string fingerprint)
    {
        var file = Path.Combine(Directory, FingerprintFile);
        var inputs = Path.Combine(Directory, InputsFile);
        return File.Exists(file) && File.ReadAllText(file) == fingerprint && System.IO.Directory.Exists(Output)
            && File.Exists(inputs) && File.ReadLines(inputs).All(line => line == _source);
    }

    /// <summary>Clears the output before a build, so that an interrupted build is never current.</summary>
    public void BeginBuild()
    {
        File.Delete(Path.Combine(Directory, FingerprintFile));
        if (System.IO.Directory.Exists(Output))
            System.IO.Directory.Delete(Output, recursive: true);
    }

    /// <summary>Marks the output as complete.</summary>
    /// <param name="fingerprint">Fingerprint of the input.</param>
    public void CompleteBuild(string fingerprint) => File.WriteAllText(Path.Combine(Directory, FingerprintFile), fingerprint);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    // Error codes of a locked file: EWOULDBLOCK on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.
    private static bool IsSharingViolation(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32;
}
