namespace Serve.Hosting;

/// <summary>Announcement of an API that a process serves to other processes of its user.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="Program">Program name.</param>
/// <param name="Address">Address of the API.</param>
/// <param name="Token">Token for requests.</param>
/// <param name="Started">Time at which the served object was created.</param>
/// <param name="Name">Display name of the served object among several of a program, for example the file of a workflow store. Default: empty.</param>
public sealed record LocalApiAnnouncement(int Pid, string Program, string Address, string Token, DateTimeOffset Started, string Name = "") : IProcessAnnouncement
{
    /// <summary>Returns the announcements of clusters, whose API is the state API.</summary>
    /// <returns>The folder of the current user.</returns>
    public static ProcessAnnouncementFolder<LocalApiAnnouncement> OfClusters() => ForCurrentUser("clusters");

    /// <summary>Returns the announcements of workflow hosts, whose API is the workflow API.</summary>
    /// <returns>The folder of the current user.</returns>
    public static ProcessAnnouncementFolder<LocalApiAnnouncement> OfWorkflowHosts() => ForCurrentUser("workflows");

    private static ProcessAnnouncementFolder<LocalApiAnnouncement> ForCurrentUser(string kind) => new(Path.Combine(UserStateFolder.GetStateFolder(), kind));
}
