using Serve.Calls;

namespace Serve;

/// <summary>Options of a handle's calls, set with <c>Options</c>. Immutable; null on a handle without options.</summary>
internal sealed record HandleCallOptions(TimeSpan? Timeout, string? MultiplexedModelId, string? RequestId)
{
    /// <summary>The clock that timeouts use.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public static HandleCallOptions Merge(HandleCallOptions? before, TimeSpan? timeout, string? multiplexedModelId, string? requestId)
    {
        // Timers support at most about 49 days.
        if (timeout is { } limit && (limit <= TimeSpan.Zero || limit.TotalMilliseconds >= uint.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(timeout), limit, "A timeout must be longer than zero and shorter than 49 days. Omit it for no timeout.");
        return new HandleCallOptions(timeout ?? before?.Timeout, multiplexedModelId ?? before?.MultiplexedModelId, requestId ?? before?.RequestId)
        {
            Clock = before?.Clock ?? TimeProvider.System,
        };
    }

    /// <summary>Returns the context of a call with these options, made while serving a request. As in Ray, the request's id is inherited, its model is not.</summary>
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
