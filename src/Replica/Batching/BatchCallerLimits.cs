using Serve.Specs;

namespace Serve.Replica.Batching;

/// <summary>Default of <c>max_ongoing_requests</c> for deployments with batched methods: enough to fill one batch while another runs.</summary>
public static class BatchCallerLimits
{
    /// <summary>Upper bound of the default, since each request uses memory.</summary>
    private const int Maximum = 100_000;

    /// <summary>Returns the limit; null if the general default suffices.</summary>
    /// <param name="gathered">Settings of the batched methods.</param>
    public static int? Of(IEnumerable<BatchQueueSettings> gathered)
    {
        var callers = gathered.Sum(static settings => 2L * settings.MaxBatchSize * settings.MaxConcurrentBatches);
        return callers > DeploymentSpec.Default.MaxOngoingRequests ? (int)Math.Min(callers, Maximum) : null;
    }
}
