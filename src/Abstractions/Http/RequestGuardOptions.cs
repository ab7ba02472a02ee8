namespace Serve.Http;

/// <summary>Accepted callers of an interface that can run or deploy code.</summary>
public sealed record RequestGuardOptions
{
    /// <summary>Host names accepted in addition to the loopback ones (<c>localhost</c>, <c>127.0.0.0/8</c>, <c>[::1]</c>). Default none.</summary>
    public IReadOnlyCollection<string> AllowedHosts { get; init; } = [];

    /// <summary>Token required as <c>Authorization: Bearer</c>; callers that present it are accepted from everywhere. Default null: none.</summary>
    public string? Token { get; init; }
}
