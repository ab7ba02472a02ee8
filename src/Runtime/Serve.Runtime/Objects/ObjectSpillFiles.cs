using System.Globalization;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Objects;

/// <summary>Files of spilled objects, in a folder of its own below the configured one. The folder is created with the first file and deleted at the end; that of a killed process by a later one.</summary>
internal sealed class ObjectSpillFiles(string? parent) : IDisposable
{
    private readonly Lock _sync = new();
    private OwnedTemporaryFolder? _folder;
    private long _lastNumber;

    public string Parent => parent ?? Path.GetTempPath();

    /// <summary>Writes a segment to a file.</summary>
    /// <returns>Path of the file.</returns>
    /// <exception cref="IOException">The file could not be written, for example because the disk is full; nothing of it remains.</exception>
    public string Write(SharedMemorySegment segment)
    {
        var path = Path.Combine(Folder(), Interlocked.Increment(ref _lastNumber).ToString(CultureInfo.InvariantCulture) + ".object");
        try
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, preallocationSize: segment.Length);
            segment.CopyTo(file);
        }
        catch
        {
            Delete(path);
            throw;
        }

        return path;
    }

    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            // The folder was deleted, or will be at the end.
        }
    }

    public void Dispose()
    {
        lock (_sync)
        {
            _folder?.Dispose();
            _folder = null;
        }
    }

    private string Folder()
    {
        lock (_sync)
        {
            _folder ??= new OwnedTemporaryFolder("serve-objects-", Parent);
            return _folder.Path;
        }
    }
}
