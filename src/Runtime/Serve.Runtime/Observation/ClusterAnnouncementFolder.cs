using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.Runtime.Observation;

/// <summary>
/// Folder of announced clusters, one file each, readable by its owner only because it contains the token. Each file is written and deleted by its cluster;
/// files of dead processes are deleted by readers.
/// </summary>
/// <param name="folder">Folder; created with the first announcement and deleted with the last.</param>
public sealed class ClusterAnnouncementFolder(string folder)
{
    private static readonly Lock Publishing = new();

    /// <summary>Returns the folder of the current user.</summary>
    /// <returns>The announcements.</returns>
    public static ClusterAnnouncementFolder ForCurrentUser() => new(Path.Combine(UserStateFolder.GetStateFolder(), "clusters"));

    /// <summary>Returns the running clusters, oldest first. Deletes files of dead processes.</summary>
    /// <returns>Clusters of this user.</returns>
    public IReadOnlyList<ClusterAnnouncement> Find()
    {
        string[] files;
        try
        {
            files = Directory.GetFiles(folder, "*.json");
        }
        catch (Exception nothing) when (nothing is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        return [.. files.Select(Read).OfType<ClusterAnnouncement>().OrderBy(found => found.Started)];
    }

    /// <summary>Announces a cluster of this process.</summary>
    /// <param name="announcement">Cluster.</param>
    /// <returns>File to be deleted with <see cref="Withdraw"/>.</returns>
    /// <exception cref="IOException">The folder is not writable.</exception>
    internal string Publish(ClusterAnnouncement announcement)
    {
        // Only clusters of one process compete for a name.
        lock (Publishing)
        {
            for (var number = 1; ; number++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{announcement.Pid}{(number == 1 ? "" : $"-{number}")}.json");
                var file = Path.Combine(folder, name);

                // Reading deletes the file of a dead process with this process id.
                if (Read(file) is not null || File.Exists(file))
                    continue;
                try
                {
                    Write(file, announcement);
                }
                catch (DirectoryNotFoundException)
                {
                    // Another process has just deleted the folder with its last announcement.
                    Write(file, announcement);
                }

                return file;
            }
        }
    }

    /// <summary>Deletes a file, and the folder with the last one.</summary>
    internal void Withdraw(string file)
    {
        try
        {
            File.Delete(file);
            Directory.Delete(folder);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // Other clusters are still announced.
        }
    }

    private ClusterAnnouncement? Read(string file)
    {
        try
        {
            var found = JsonSerializer.Deserialize<ClusterAnnouncement>(File.ReadAllBytes(file), ServeJson.Options);
            if (found is not null && Lives(found))
                return found;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }

        Withdraw(file);
        return null;
    }

    // A process that started after the cluster has reused the id of a dead one.
    private static bool Lives(ClusterAnnouncement found)
    {
        try
        {
            using var process = Process.GetProcessById(found.Pid);
            return !process.HasExited && process.StartTime.ToUniversalTime() <= found.Started.UtcDateTime.AddSeconds(2);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private void Write(string file, ClusterAnnouncement announcement)
    {
        MakeFolder(Path.GetDirectoryName(folder)!);
        MakeFolder(folder);

        // Written atomically: a concurrent reader sees all or nothing.
        var draft = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(draft, options))
            JsonSerializer.Serialize(stream, announcement, ServeJson.Options);
        File.Move(draft, file, overwrite: true);
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UserStateFolder.OwnerOnly);
    }
}
