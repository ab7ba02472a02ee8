namespace Serve.Runtime.Observation;

/// <summary>A cluster in some process of this user, as the file says by which others find it.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Program">What runs in it.</param>
/// <param name="Address">Where its state API answers.</param>
/// <param name="Token">What to present there.</param>
/// <param name="Started">When the cluster was started.</param>
public sealed record ClusterAnnouncement(int Pid, string Program, string Address, string Token, DateTimeOffset Started);
