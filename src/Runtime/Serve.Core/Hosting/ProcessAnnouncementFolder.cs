using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Serve.Hosting;

/// <summary>The part of an announcement that every process publishes for other processes of its user.</summary>
public interface IProcessAnnouncement
{
    /// <summary>Gets the process id.</summary>
    int Pid { get; }

    /// <summary>Gets the time of the announcement or an earlier one, at which the process existed.</summary>
    DateTimeOffset Started { get; }
}

/// <summary>
/// Folder of announcements, one file each, readable by its owner only because they contain tokens or name their files. Each file is written and deleted by its
/// process; files of dead processes are deleted by readers.
/// </summary>
/// <typeparam name="TAnnouncement">The announcement, stored as JSON.</typeparam>
/// <param name="folder">Folder; created with the first announcement and deleted with the last.</param>
public sealed class ProcessAnnouncementFolder<TAnnouncement>(string folder)
    where TAnnouncement : class, IProcessAnnouncement
{
    private static readonly Lock Publishing = new();

    /// <summary>Returns the announcements of running processes, oldest first. Deletes files of dead processes.</summary>
    /// <returns>Announcements of this user.</returns>
    public IReadOnlyList<TAnnouncement> Find()
    {
        string[] files;
        try
        {
            // Most users have none; an exception would cost more than the rest.
            files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json") : [];
        }
        catch (Exception nothing) when (nothing is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        return [.. files.Select(Read).OfType<TAnnouncement>().OrderBy(found => found.Started)];
    }

    /// <summary>Announces this process.</summary>
    /// <param name="announcement">The announcement.</param>
    /// <returns>File to be deleted with <see cref="Withdraw"/>.</returns>
    /// <exception cref="IOException">The folder is not writable.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is not accessible.</exception>
    public string Publish(TAnnouncement announcement)
    {
        // Only announcements of one process compete for a name.
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
    /// <param name="file">The file.</param>
    public void Withdraw(string file)
    {
        try
        {
            File.Delete(file);
            Directory.Delete(folder);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // Others are still announced.
        }
    }

    private TAnnouncement? Read(string file)
    {
        try
        {
            var found = JsonSerializer.Deserialize<TAnnouncement>(File.ReadAllBytes(file), ServeJson.Options);
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

    // A process that started after the announcement has reused the id of a dead one.
    private static bool Lives(TAnnouncement found)
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

    private void Write(string file, TAnnouncement announcement)
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
