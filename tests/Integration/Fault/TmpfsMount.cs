using System.Diagnostics;

namespace Serve.FaultTests;

/// <summary>A small file system in memory, for as long as this object lives. Mounting needs root.</summary>
internal sealed class TmpfsMount : IAsyncDisposable
{
    private TmpfsMount(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts one.</summary>
    public static async Task<TmpfsMount> CreateAsync(string path, string options)
    {
        Directory.CreateDirectory(path);
        Assert.Equal(0, await RunAsync("mount", "-t", "tmpfs", "-o", options, "tmpfs", path));
        return new(path);
    }

    // Lazily: a process that has just been killed may hold it a moment longer.
    public async ValueTask DisposeAsync() => Assert.Equal(0, await RunAsync("umount", "-l", Path));

    private static async Task<int> RunAsync(string command, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(command, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
