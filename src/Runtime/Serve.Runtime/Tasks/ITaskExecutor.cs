namespace Serve.Runtime.Tasks;

/// <summary>Runs attempts whose resources are reserved: on threads of this process, or in workers.</summary>
internal interface ITaskExecutor
{
    /// <summary>How many attempts may be under way at once on the resources of one: above 1, quick ones need not wait for each other's answers. The executor runs them one after the other.</summary>
    /// <param name="lane">Their <see cref="ITaskAttempt.Pipeline"/>.</param>
    int DepthOf(object lane) => 1;

    /// <summary>Starts an attempt; never throws, the attempt is told.</summary>
    void Start(ITaskAttempt attempt);

    /// <summary>Ends an attempt that does not heed its token, where that is possible: by killing its worker.</summary>
    void Kill(ITaskAttempt attempt);
}
