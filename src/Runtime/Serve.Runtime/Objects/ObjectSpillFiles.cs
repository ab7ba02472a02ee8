using System.Globalization;

namespace Serve.Runtime.Objects;

/// <summary>The files of objects that memory had no room for: a folder of its own below the one that was asked for, made with the first, removed at the end.</summary>
internal sealed class ObjectSpillFiles(string? parent) : IDisposable
{
    private readonly Lock _sync = new();
    private string? _folder;
    private long _lastNumber;

    public string Parent => parent ?? Path.GetTempPath();

    /// <returns>The file's path.</returns>
    /// <exception cref="IOException">It could not be written, the disk is full for example; nothing of it is left.</exception>
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
            // Its folder is gone, or goes at the end.
        }
    }

    public void Dispose()
    {
        lock (_sync)
        {
            if (_folder is null)
                return;
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (DirectoryNotFoundException)
            {
                // Someone was tidier than we are.
            }

            _folder = null;
        }
    }

    private string Folder()
    {
        lock (_sync)
        {
            if (_folder is not null)
                return _folder;
            Directory.CreateDirectory(Parent);
            var made = Path.Combine(Parent, $"serve-objects-{Environment.ProcessId}-{Guid.NewGuid():N}");
            Directory.CreateDirectory(made);
            return _folder = made;
        }
    }
}
