namespace Serve.Http;

/// <summary>Accepted callers of an interface that can run or deploy code.</summary>
public sealed record RequestGuardOptions
{
    /// <summary>Host names accepted in addition to loopback names, IP addresses and the names of the machine: a name, <c>*.example.com</c> for its subdomains, or <c>*</c> for all. Default none.</summary>
    public IReadOnlyCollection<string> AllowedHosts { get; init; } = [];

    /// <summary>Token required as <c>Authorization: Bearer</c>; callers that present it are accepted from everywhere. Default null: none.</summary>
    public string? Token { get; init; }
}
