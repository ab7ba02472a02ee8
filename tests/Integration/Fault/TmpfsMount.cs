using System.Diagnostics;

namespace Serve.FaultTests;

/// <summary>A small in-memory file system that is mounted until this object is disposed. Mounting requires root.</summary>
internal sealed class TmpfsMount : IAsyncDisposable
{
    private TmpfsMount(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts a file system at a path.</summary>
    public static async Task<TmpfsMount> CreateAsync(string path, string options)
    {
        Directory.CreateDirectory(path);
        Assert.Equal(0, await RunAsync("mount", "-t", "tmpfs", "-o", options, "tmpfs", path));
        return new(path);
    }

    // Lazy unmount: a process that has just been killed may still have files open.
    public async ValueTask DisposeAsync() => Assert.Equal(0, await RunAsync("umount", "-l", Path));

    private static async Task<int> RunAsync(string command, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(command, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}

/// <summary>A test that mounts file systems and is skipped unless it runs as root.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresRootFactAttribute : FactAttribute
{
    public RequiresRootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "mounting a small file system needs root";
    }
}
