namespace Serve.Http;

/// <summary>Who may talk to an interface that can run or deploy code.</summary>
public sealed record RequestGuardOptions
{
    /// <summary>Host names accepted beside the loopback ones (<c>localhost</c>, <c>127.0.0.0/8</c>, <c>[::1]</c>). Default none.</summary>
    public IReadOnlyCollection<string> AllowedHosts { get; init; } = [];

    /// <summary>What callers present as <c>Authorization: Bearer</c>. Default null: nothing, which is allowed on loopback only.</summary>
    public string? Token { get; init; }
}
