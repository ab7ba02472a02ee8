using System.Text.Json;
using Serve.Specs;

namespace Serve.Controller.Packages;

/// <summary>Content-addressed store of packages: one folder per package, named by the hash of its content. Folders appear atomically and are never changed.</summary>
/// <param name="directory">Root folder of the store.</param>
/// <param name="time">Clock of the last uses of packages. Default: the system's.</param>
public sealed class ApplicationPackageStore(string directory, TimeProvider? time = null)
{
    private const int CopyBufferSize = 1 << 20;
    private const string StagingPrefix = ".new-";

    // Of a large upload over a slow connection.
    private static readonly TimeSpan LongestStaging = TimeSpan.FromDays(1);

    // Between finding a package and deleting it.
    private readonly Lock _deleting = new();

    private DateTime Now => (time ?? TimeProvider.System).GetUtcNow().UtcDateTime;

    /// <summary>Returns the folder of a package, whether or not it exists.</summary>
    /// <param name="hash">The package's hash.</param>
    public string FolderOf(string hash) => Path.Combine(directory, hash);

    /// <summary>Records the path that a package was built from on this node. It is not part of the package.</summary>
    /// <param name="hash">The package's hash.</param>
    /// <param name="importPath">The path.</param>
    internal void RecordSource(string hash, string importPath)
    {
        if (ReadSource(hash) != importPath)
            File.WriteAllText(SourceFileOf(hash), importPath);
    }

    /// <summary>Returns the path that a package was last built from on this node; null if it was not built here.</summary>
    /// <param name="hash">The package's hash.</param>
    internal string? ReadSource(string hash) => File.Exists(SourceFileOf(hash)) ? File.ReadAllText(SourceFileOf(hash)) : null;

    /// <summary>Reads the manifest of a package.</summary>
    /// <param name="hash">The package's hash.</param>
    /// <exception cref="DefinitionException">The package is not stored here.</exception>
    internal PackageManifest ReadManifest(string hash)
    {
        var file = Path.Combine(FolderOf(hash), PackageManifest.FileName);
        return TryRenew(hash) && File.Exists(file)
            ? ParseManifest(File.ReadAllBytes(file), file)
            : throw new DefinitionException($"Package {hash} is not stored on this node. Upload it with 'serve deploy FILE.zip'.");
    }

    /// <summary>Adds a package with the files of a folder; the same content is stored once.</summary>
    /// <param name="source">The folder; it is copied.</param>
    /// <param name="include">Filter by relative file name; null includes all files.</param>
    /// <param name="manifest">The manifest to write.</param>
    /// <param name="cancellationToken">Cancels reading and copying.</param>
    /// <returns>The package's hash.</returns>
    internal string Add(string source, Func<string, bool>? include, PackageManifest manifest, CancellationToken cancellationToken = default) =>
        Add(Files(source).Where(file => include is null || include(file.Name)), manifest, cancellationToken);

    /// <summary>Adds a package with the given files; the same content is stored once.</summary>
    /// <param name="files">Name within the package (with <c>/</c>) and path of each file; the files are copied.</param>
    /// <param name="manifest">The manifest to write.</param>
    /// <param name="cancellationToken">Cancels reading and copying.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">The files are larger than the free space of the store's file system.</exception>
    internal string Add(IEnumerable<(string Name, string Path)> files, PackageManifest manifest, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, ServeJson.Options);
        var all = files.Where(file => file.Name != PackageManifest.FileName).ToList();
        var size = all.Sum(file => new FileInfo(file.Path).Length);
        // Before reading: the length of a sparse file may be any number.
        RequireSpace(size, static volume => volume.TotalSize);
        // The common case, an unchanged package, reads each file once and writes nothing.
        var known = PackageContentHash.Of(all, (PackageManifest.FileName, json), cancellationToken);
        if (TryRenew(known))
            return known;
        RequireSpace(size, static volume => volume.AvailableFreeSpace);
        var staging = NewStaging();
        try
        {
            foreach (var (name, path) in all)
            {
                var target = Path.Combine(staging, name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                Copy(path, target, cancellationToken);
            }

            File.WriteAllBytes(Path.Combine(staging, PackageManifest.FileName), json);
            // Hashes the copies: a source file may have changed since it was hashed above.
            return Commit(staging);
        }
        finally
        {
            Discard(staging);
        }
    }

    /// <summary>Adds a package that was unpacked into a folder created by <see cref="NewStaging"/>; the folder is moved or deleted.</summary>
    /// <param name="staging">The folder.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">The folder is not a package.</exception>
    internal string Commit(string staging)
    {
        var manifestFile = Path.Combine(staging, PackageManifest.FileName);
        if (!File.Exists(manifestFile))
            throw new DefinitionException($"The file is not a package: {PackageManifest.FileName} is missing. Create packages with 'serve build TARGET -o FILE'.");
        var manifest = ParseManifest(File.ReadAllBytes(manifestFile), manifestFile);
        if (manifest.AssemblyFile is { } assembly && !File.Exists(Path.Combine(staging, assembly)))
            throw new DefinitionException($"The package does not contain the assembly '{assembly}' that its manifest names.");
        if (manifest.AssemblyFile is null && ModelVersionFiles.Find(staging).Count == 0)
            throw new DefinitionException($"The package contains neither an assembly nor a model (VERSION/{ModelVersionFiles.FileName}).");
        var hash = PackageContentHash.Of(Files(staging));
        var target = FolderOf(hash);
        // Not the time at which its last file was written.
        Directory.SetLastWriteTimeUtc(staging, Now);
        if (!TryRenew(hash))
        {
            try
            {
                Directory.Move(staging, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                // Another process added the same content concurrently.
            }
        }

        Discard(staging);
        return hash;
    }

    /// <summary>Creates an empty folder on the store's file system, for <see cref="Commit"/> or <see cref="Discard"/>.</summary>
    internal string NewStaging() =>
        Directory.CreateDirectory(Path.Combine(directory, $"{StagingPrefix}{Guid.NewGuid():N}")).FullName;

    /// <summary>Deletes a folder created by <see cref="NewStaging"/>, if it still exists.</summary>
    internal static void Discard(string staging)
    {
        if (Directory.Exists(staging))
            Directory.Delete(staging, recursive: true);
    }

    /// <summary>Deletes the packages that are not used and were last added or read before a time, and the remains of interrupted uploads.</summary>
    /// <param name="used">Hashes of the packages that are used.</param>
    /// <param name="before">The time.</param>
    /// <returns>Number of deleted packages.</returns>
    internal int DeleteUnused(IReadOnlySet<string> used, DateTimeOffset before)
    {
        if (!Directory.Exists(directory))
            return 0;
        var deleted = 0;
        foreach (var folder in new DirectoryInfo(directory).EnumerateDirectories().ToList())
        {
            if (folder.Name.StartsWith(StagingPrefix, StringComparison.Ordinal))
            {
                if (folder.LastWriteTimeUtc < before - LongestStaging)
                    Discard(folder.FullName);
                continue;
            }

            if (used.Contains(folder.Name))
                continue;
            // Renamed first: a folder of a package is complete or does not exist.
            var removed = Path.Combine(directory, $"{StagingPrefix}{Guid.NewGuid():N}");
            lock (_deleting)
            {
                folder.Refresh();
                if (!folder.Exists || folder.LastWriteTimeUtc >= before)
                    continue;
                Directory.Move(folder.FullName, removed);
                File.Delete(SourceFileOf(folder.Name));
            }

            Discard(removed);
            deleted++;
        }

        return deleted;
    }

    /// <summary>Lists the files of a folder, recursively: relative name (with <c>/</c>) and path.</summary>
    internal static IEnumerable<(string Name, string Path)> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => (Path.GetRelativePath(folder, path).Replace('\\', '/'), path));

    // False if the package is not stored. Otherwise it is not deleted before it can be deployed.
    private bool TryRenew(string hash)
    {
        lock (_deleting)
        {
            if (!Directory.Exists(FolderOf(hash)))
                return false;
            Directory.SetLastWriteTimeUtc(FolderOf(hash), Now);
            return true;
        }
    }

    private string SourceFileOf(string hash) => FolderOf(hash) + ".source";

    private static void Copy(string path, string target, CancellationToken cancellationToken)
    {
        using var source = File.OpenRead(path);
        using var copy = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var buffer = new byte[CopyBufferSize];
        while (source.Read(buffer) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            copy.Write(buffer, 0, read);
        }
    }

    private void RequireSpace(long size, Func<DriveInfo, long> spaceOf)
    {
        // The drive of a path on Windows is its root.
        Directory.CreateDirectory(directory);
        var volume = new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(Path.GetFullPath(directory))! : Path.GetFullPath(directory));
        if (spaceOf(volume) is var space && size > space)
            throw new DefinitionException($"The files of the package must fit on the file system of {directory}, which has {space} bytes, but have {size}. Free space, or choose another --state-dir.");
    }

    private static PackageManifest ParseManifest(byte[] json, string file)
    {
        try
        {
            return JsonSerializer.Deserialize<PackageManifest>(json, ServeJson.Options)
                ?? throw new DefinitionException($"{file} is empty.");
        }
        catch (JsonException e)
        {
            throw new DefinitionException($"{file} cannot be read: {e.Message}");
        }
    }
}

/// <summary>Manifest of a package: a file within it, and therefore part of its hash.</summary>
internal sealed record PackageManifest
{
    /// <summary>File name of the manifest within the package.</summary>
    public const string FileName = "serve-package.json";

    /// <summary>The main assembly within the package; null for a model, whose versions are stored as <c>VERSION/model.onnx</c>.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>Default application name.</summary>
    public required string Name { get; init; }

    /// <summary>Ingress class selected when the package was built; null to infer it.</summary>
    public string? TypeName { get; init; }
}
