using Serve.Hosting;

namespace Serve.Admin;

/// <summary>Announcement of a node that created its token itself, for clients of the same user on the same machine.</summary>
/// <param name="Pid">Process id of the node.</param>
/// <param name="Gateway">Address of the gateway.</param>
/// <param name="Admin">Address of the admin API.</param>
/// <param name="TokenFile">Absolute path of the file with the token.</param>
/// <param name="Started">Time of the announcement.</param>
public sealed record NodeAnnouncement(int Pid, string Gateway, string Admin, string TokenFile, DateTimeOffset Started) : IProcessAnnouncement
{
    /// <summary>Returns the announcements of the current user.</summary>
    public static ProcessAnnouncementFolder<NodeAnnouncement> ForCurrentUser() => new(Path.Combine(UserStateFolder.GetStateFolder(), "nodes"));
}
