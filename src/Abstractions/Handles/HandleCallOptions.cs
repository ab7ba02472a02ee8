using Serve.Calls;

namespace Serve;

/// <summary>What a caller set with <c>Options</c>; immutable, null on a handle where nothing was set.</summary>
internal sealed record HandleCallOptions(TimeSpan? Timeout, string? MultiplexedModelId, string? RequestId)
{
    /// <summary>The clock of timeouts.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public static HandleCallOptions Merge(HandleCallOptions? before, TimeSpan? timeout, string? multiplexedModelId, string? requestId)
    {
        // The upper bound is that of a timer, about 49 days.
        if (timeout is { } limit && (limit <= TimeSpan.Zero || limit.TotalMilliseconds >= uint.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(timeout), limit, "A timeout must be longer than zero and shorter than 49 days; leave it out for none.");
        return new HandleCallOptions(timeout ?? before?.Timeout, multiplexedModelId ?? before?.MultiplexedModelId, requestId ?? before?.RequestId)
        {
            Clock = before?.Clock ?? TimeProvider.System,
        };
    }

    /// <summary>What travels with a call made under these options from within this request. Ray's rule: the request's id is inherited, its model is not.</summary>
    public static CallContext ContextFor(HandleCallOptions? options, RequestContext? request)
    {
        if (options is not ({ RequestId: not null } or { MultiplexedModelId: not null }))
        {
            if (request is null)
                return CallContext.None;
            if (request.Call.MultiplexedModelId is null)
                return request.Call;
        }

        return new CallContext
        {
            RequestId = options?.RequestId ?? request?.Call.RequestId,
            MultiplexedModelId = options?.MultiplexedModelId,
        };
    }
}
