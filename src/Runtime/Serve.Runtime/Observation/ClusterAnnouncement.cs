namespace Serve.Runtime.Observation;

/// <summary>Announcement of a cluster in a process of the current user.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="Program">Program name.</param>
/// <param name="Address">Address of the state API.</param>
/// <param name="Token">Token for requests.</param>
/// <param name="Started">Start time of the cluster.</param>
public sealed record ClusterAnnouncement(int Pid, string Program, string Address, string Token, DateTimeOffset Started) : IProcessAnnouncement
{
    /// <summary>Returns the announcements of the current user.</summary>
    /// <returns>The folder.</returns>
    public static ProcessAnnouncementFolder<ClusterAnnouncement> ForCurrentUser() => new(Path.Combine(UserStateFolder.GetStateFolder(), "clusters"));
}
