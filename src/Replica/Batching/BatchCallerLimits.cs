using Serve.Specs;

namespace Serve.Replica.Batching;

/// <summary>How many callers a deployment lets in that gathers their calls, unless it says so itself: enough to fill one batch while another runs. Holds no state.</summary>
public static class BatchCallerLimits
{
    /// <summary>More are let in only when the deployment says so: each holds memory.</summary>
    private const int Most = 100_000;

    /// <summary>The number; null where the default is enough.</summary>
    /// <param name="gathered">How each of its methods gathers.</param>
    public static int? Of(IEnumerable<BatchQueueSettings> gathered)
    {
        var callers = gathered.Sum(static settings => 2L * settings.MaxBatchSize * settings.MaxConcurrentBatches);
        return callers > DeploymentSpec.Default.MaxOngoingRequests ? (int)Math.Min(callers, Most) : null;
    }
}
