namespace Serve.Calls;

/// <summary>What travels with a call beside its arguments. Immutable; <see cref="None"/> for a call without any of it.</summary>
public sealed record CallContext
{
    /// <summary>A call with nothing beside its arguments.</summary>
    public static CallContext None { get; } = new();

    /// <summary>The request this call belongs to, for logs; null when there is none.</summary>
    public string? RequestId { get; init; }

    /// <summary>The multiplexed model it asks for; null for none.</summary>
    public string? MultiplexedModelId { get; init; }
}
