using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Serve.Workflows.Storage;

/// <summary>
/// Values of workflows as text. Short ones are stored in their row; longer ones in a file that is named by the hash of its content, so that equal values are stored once.
/// A payload is either JSON or <c>@hash:length</c>, which is not JSON.
/// </summary>
/// <remarks>
/// A file is synchronized before the commit that refers to it. Between writing and commit it is pinned, because the removal of the last other reference would delete it. Files without a
/// reference, left by the death of a process between the two, are deleted when the store is opened.
/// </remarks>
internal sealed partial class WorkflowPayloads(string? folder, int maxInlineLength, long maxLength)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _pins = [];

    /// <summary>Returns the hash of a payload that is stored in a file; null if it is not.</summary>
    public static string? HashOf(string? payload) => payload is ['@', ..] ? payload[1..payload.IndexOf(':', StringComparison.Ordinal)] : null;

    /// <summary>Stores a value; call <see cref="Release"/> when the payload has been committed or dropped.</summary>
    /// <exception cref="WorkflowLimitException">The value is too large.</exception>
    public string Store(string json, string description)
    {
        if (json.Length <= maxInlineLength)
            return json;
        var bytes = Encoding.UTF8.GetBytes(json);
        if (bytes.Length > maxLength)
            throw new WorkflowLimitException($"{description} must be at most {maxLength:N0} bytes as JSON, but was {bytes.Length:N0}. Store large data elsewhere and pass a reference to it.");
        if (folder is null)
            return json;
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        lock (_lock)
            _pins[hash] = _pins.GetValueOrDefault(hash) + 1;
        if (!File.Exists(PathOf(hash)))
            Write(hash, bytes);
        return string.Create(CultureInfo.InvariantCulture, $"@{hash}:{bytes.Length}");
    }

    public void Release(string? payload)
    {
        if (HashOf(payload) is not { } hash)
            return;
        lock (_lock)
        {
            if (--_pins[hash] == 0)
                _pins.Remove(hash);
        }
    }

    /// <summary>Returns the JSON of a payload.</summary>
    /// <exception cref="WorkflowStorageException">Its file is missing.</exception>
    public string Load(string payload)
    {
        if (HashOf(payload) is not { } hash)
            return payload;
        try
        {
            return File.ReadAllText(PathOf(hash));
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WorkflowStorageException($"The payload file '{PathOf(hash)}' is missing. Restore it from a backup together with the database.", failure);
        }
    }

    /// <summary>Deletes files whose last reference was removed.</summary>
    public void Delete(IEnumerable<string> hashes)
    {
        lock (_lock)
        {
            foreach (var hash in hashes.Where(hash => !_pins.ContainsKey(hash)))
                File.Delete(PathOf(hash));
        }
    }

    /// <summary>Deletes files that no row refers to.</summary>
    public void DeleteUnused(IReadOnlyCollection<string> used)
    {
        if (!Directory.Exists(folder))
            return;
        var known = used.ToHashSet();
        Delete(Directory.EnumerateFiles(folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Where(hash => !known.Contains(hash)));
        foreach (var incomplete in Directory.EnumerateFiles(folder, "*.tmp"))
            File.Delete(incomplete);
    }

    private string PathOf(string hash) => Path.Combine(folder!, hash + ".json");

    private void Write(string hash, byte[] bytes)
    {
        Directory.CreateDirectory(folder!);
        var incomplete = Path.Combine(folder!, $"{hash}.{Guid.NewGuid():N}.tmp");
        using (var file = new FileStream(incomplete, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(incomplete, PathOf(hash), overwrite: true);
        SynchronizeFolder();
    }

    /// <summary>Makes the new name durable, where the system allows it.</summary>
    private void SynchronizeFolder()
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder!, 0);
        if (descriptor < 0)
            return;
        _ = Synchronize(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
