namespace Serve;

/// <summary>How one call of an actor is to run. What is null stays as the actor's own options say.</summary>
public sealed record ActorCallOptions
{
    /// <summary>Shown in lists and error messages. Default: the method's name.</summary>
    public string? Name { get; init; }

    /// <summary>Another concurrency group than the method's own.</summary>
    public string? ConcurrencyGroup { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxTaskRetries"/>
    public int? MaxTaskRetries { get; init; }

    /// <summary>Says for an exception of the call's own whether it is to be retried within <see cref="MaxTaskRetries"/>. Default never.</summary>
    public Func<Exception, bool>? RetryOn { get; init; }

    /// <summary>How long the call may run before it is cancelled and fails with <see cref="RequestTimeoutException"/>. Default no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <inheritdoc cref="TaskOptions.MaxBufferedItems"/>
    public int? MaxBufferedItems { get; init; }
}
