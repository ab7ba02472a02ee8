using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.Runtime.Observation;

/// <summary>A folder of announced clusters: a file each, which only its owner can read, since it holds the token. Each file is written and removed by its cluster; those of dead processes by whoever looks.</summary>
/// <param name="folder">The folder; made with the first announcement and removed with the last.</param>
public sealed class ClusterAnnouncementFolder(string folder)
{
    private static readonly Lock Publishing = new();

    /// <summary>This user's.</summary>
    /// <returns>The announcements.</returns>
    public static ClusterAnnouncementFolder ForCurrentUser() => new(Path.Combine(UserStateFolder.GetStateFolder(), "clusters"));

    /// <summary>The clusters that run, oldest first. Removes what dead processes left.</summary>
    /// <returns>The clusters of this user.</returns>
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
    /// <param name="announcement">The cluster.</param>
    /// <returns>The file, to be removed with <see cref="Withdraw"/>.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    internal string Publish(ClusterAnnouncement announcement)
    {
        // Only clusters of one process want the same name.
        lock (Publishing)
        {
            for (var number = 1; ; number++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{announcement.Pid}{(number == 1 ? "" : $"-{number}")}.json");
                var file = Path.Combine(folder, name);

                // Reading removes what a dead process of this number has left.
                if (Read(file) is not null || File.Exists(file))
                    continue;
                try
                {
                    Write(file, announcement);
                }
                catch (DirectoryNotFoundException)
                {
                    // Another process has just removed the folder with its announcement, the last.
                    Write(file, announcement);
                }

                return file;
            }
        }
    }

    /// <summary>Removes a file, and the folder with the last one.</summary>
    internal void Withdraw(string file)
    {
        try
        {
            File.Delete(file);
            Directory.Delete(folder);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // Others are announced there still.
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

    // A process that started after the cluster has the number of a dead one.
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

        // Whole when it appears: who looks at that moment reads all or nothing.
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
