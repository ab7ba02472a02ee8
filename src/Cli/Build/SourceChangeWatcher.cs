using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Serve.Specs;

namespace Serve.Cli.Build;

/// <summary>Tells when what an application is made of changes.</summary>
internal static class SourceChangeWatcher
{
    // Editors write a file in several steps.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(150);

    /// <summary>One item per change; changes in quick succession are one.</summary>
    /// <param name="target">As named on the command line: a config file counts too.</param>
    /// <param name="config">Names the sources.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the watch; nothing is thrown.</param>
    /// <returns>The changes.</returns>
    public static async IAsyncEnumerable<int> WatchAsync(
        string target, ServeConfig config, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<int>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var paths = config.Applications.Select(application => ImportPath.Resolve(application.ImportPath)).ToList();
        var watchers = paths.Where(path => path.Kind is not ImportPathKind.Package).Select(Watch)
            .Append(Watch(Path.GetFullPath(target.Split(':')[0]), wholeFolder: false)).ToList();
        try
        {
            foreach (var watcher in watchers)
            {
                watcher.Changed += (_, e) => Tell(e);
                watcher.Created += (_, e) => Tell(e);
                watcher.Renamed += (_, e) => Tell(e);
                watcher.EnableRaisingEvents = true;
            }

            while (await NextAsync(changes.Reader, time, cancellationToken))
                yield return 1;
        }
        finally
        {
            foreach (var watcher in watchers)
                watcher.Dispose();
        }

        void Tell(FileSystemEventArgs e)
        {
            if (!IsBuildOutput(e.FullPath))
                changes.Writer.TryWrite(1);
        }
    }

    private static FileSystemWatcher Watch(ImportPath path) => Directory.Exists(path.Location)
        ? new(path.Location) { IncludeSubdirectories = true }
        : Watch(path.Location, path.Kind is ImportPathKind.Project);

    private static FileSystemWatcher Watch(string file, bool wholeFolder)
    {
        var folder = Path.GetDirectoryName(file)!;
        return wholeFolder ? new(folder) { IncludeSubdirectories = true } : new(folder, Path.GetFileName(file));
    }

    private static bool IsBuildOutput(string path) =>
        path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "artifacts" or ".git");

    private static async Task<bool> NextAsync(ChannelReader<int> changes, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await changes.ReadAsync(cancellationToken);
            await Task.Delay(Settle, time, cancellationToken);
            changes.TryRead(out _);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
