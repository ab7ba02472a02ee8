using Serve.Calls;

namespace Serve;

/// <summary>Options of a handle's calls, set with <c>Options</c>. Immutable; null on a handle without options.</summary>
internal sealed record HandleCallOptions(TimeSpan? Timeout, string? MultiplexedModelId, string? RequestId, string? RoutingKey = null, int? Priority = null)
{
    /// <summary>The clock that timeouts use.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public static HandleCallOptions Merge(
        HandleCallOptions? before, TimeSpan? timeout, string? multiplexedModelId, string? requestId, string? routingKey, int? priority)
    {
        // Timers support at most about 49 days.
        if (timeout is { } limit && (limit <= TimeSpan.Zero || limit.TotalMilliseconds >= uint.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(timeout), limit, "A timeout must be longer than zero and shorter than 49 days. Omit it for no timeout.");
        if (priority is < CallUrgency.MinPriority or > CallUrgency.MaxPriority)
            throw new ArgumentOutOfRangeException(nameof(priority), priority, $"A priority must be between {CallUrgency.MinPriority} and {CallUrgency.MaxPriority}.");
        return new HandleCallOptions(
            timeout ?? before?.Timeout, multiplexedModelId ?? before?.MultiplexedModelId, requestId ?? before?.RequestId, routingKey ?? before?.RoutingKey, priority ?? before?.Priority)
        {
            Clock = before?.Clock ?? TimeProvider.System,
        };
    }

    /// <summary>
    /// Returns the context of a call with these options, made while serving a request. As in Ray, the request's id is inherited, its model is not; so are its deadline and priority, and its key is not.
    /// </summary>
    public static CallContext ContextFor(HandleCallOptions? options, RequestContext? request)
    {
        if (options is not ({ RequestId: not null } or { MultiplexedModelId: not null } or { RoutingKey: not null } or { Priority: not null } or { Timeout: not null }))
        {
            if (request is null)
                return CallContext.None;
            if (request.Call is { MultiplexedModelId: null, RoutingKey: null })
                return request.Call;
        }

        return new CallContext
        {
            RequestId = options?.RequestId ?? request?.Call.RequestId,
            MultiplexedModelId = options?.MultiplexedModelId,
            RoutingKey = options?.RoutingKey,
            Urgency = UrgencyFor(options, request?.Call.Urgency ?? default),
        };
    }

    private static CallUrgency UrgencyFor(HandleCallOptions? options, CallUrgency inherited)
    {
        var urgency = options?.Priority is { } priority ? inherited with { Priority = priority } : inherited;
        return options?.Timeout is { } timeout ? urgency.Within(timeout, options.Clock) : urgency;
    }
}
