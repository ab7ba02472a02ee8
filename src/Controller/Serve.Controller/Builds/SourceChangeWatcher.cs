using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Serve.Controller.Packages;
using Serve.Specs;

namespace Serve.Controller.Builds;

/// <summary>Watches the sources of applications for changes.</summary>
public static class SourceChangeWatcher
{
    // Editors write a file in several steps.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(150);

    /// <summary>Returns one item per change; changes in quick succession are combined.</summary>
    /// <param name="target">Target of the command line; a config file is watched too.</param>
    /// <param name="config">The applications whose sources are watched.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Ends the sequence without an exception.</param>
    public static async IAsyncEnumerable<int> WatchAsync(
        string target, ServeConfig config, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(config);
        var changes = Channel.CreateBounded<int>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var paths = config.Applications.Select(application => ImportPath.Resolve(application.ImportPath)).ToList();
        var watchers = paths.Where(path => path.Kind is not ImportPathKind.Package).Select(Watch)
            .Append(Watch(Path.GetFullPath(target.Split(':')[0]), wholeFolder: false)).ToList();
        try
        {
            foreach (var watcher in watchers)
            {
                watcher.Changed += (_, e) => OnChanged(e);
                watcher.Created += (_, e) => OnChanged(e);
                watcher.Renamed += (_, e) => OnChanged(e);
                watcher.EnableRaisingEvents = true;
            }

            while (await WaitForChangeAsync(changes.Reader, time, cancellationToken))
                yield return 1;
        }
        finally
        {
            foreach (var watcher in watchers)
                watcher.Dispose();
        }

        void OnChanged(FileSystemEventArgs e)
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

    private static async Task<bool> WaitForChangeAsync(ChannelReader<int> changes, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await changes.ReadAsync(cancellationToken);
            await Task.Delay(SettleTime, time, cancellationToken);
            changes.TryRead(out _);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
