using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Serve.Dashboard.Access;

/// <summary>
/// Sessions of browsers. A session is an expiry time signed with the node's token: the cookie does not reveal the token, survives a restart of the node, and ends with a new token.
/// Links to sign in carry a code that is valid once and for a short time. Thread-safe.
/// </summary>
/// <param name="token">The node's token; null if none is required.</param>
/// <param name="permanentCode">A code that is valid always; null for none.</param>
/// <param name="time">Clock.</param>
internal sealed class DashboardSessionTokens(string? token, string? permanentCode, TimeProvider time)
{
    /// <summary>How long a browser stays signed in.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>How long a code is valid.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    private const int MaxCodes = 100;
    private const int MaxFailures = 10;
    private static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _codes = new(StringComparer.Ordinal);
    private readonly Queue<DateTimeOffset> _failures = new();

    /// <summary>Whether a session is required.</summary>
    public bool IsRequired => token is not null;

    /// <summary>Whether so many attempts have failed that the next must wait.</summary>
    public bool IsThrottled
    {
        get
        {
            lock (_failures)
            {
                while (_failures.TryPeek(out var oldest) && time.GetUtcNow() - oldest > FailureWindow)
                    _failures.Dequeue();
                return _failures.Count >= MaxFailures;
            }
        }
    }

    /// <summary>Creates the value of a session's cookie.</summary>
    public string CreateSession()
    {
        var expires = (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{expires}.{Sign(expires)}";
    }

    /// <summary>Whether a cookie's value is that of a session that has not expired.</summary>
    /// <param name="session">The value.</param>
    public bool IsSession(string? session)
    {
        if (session?.Split('.') is not [var expires, var signature] || !long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return false;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(expires))) && time.GetUtcNow().ToUnixTimeSeconds() < seconds;
    }

    /// <summary>Creates a code for a link.</summary>
    public string CreateCode()
    {
        var now = time.GetUtcNow();
        foreach (var (known, expires) in _codes.OrderBy(static pair => pair.Value).ToArray())
        {
            if (expires <= now || _codes.Count >= MaxCodes)
                _codes.TryRemove(known, out _);
        }

        var code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _codes[code] = now + CodeLifetime;
        return code;
    }

    /// <summary>Whether a caller may start a session. A code can be used once.</summary>
    /// <param name="presented">The token that the caller presents; null for a code.</param>
    /// <param name="code">The code that the caller presents; null for a token.</param>
    public bool TryAccept(string? presented, string? code)
    {
        var isAccepted = token is null
            || (presented is not null && AreEqual(presented.Trim(), token))
            || (code is not null && permanentCode is not null && AreEqual(code, permanentCode))
            || (code is not null && _codes.TryRemove(code, out var expires) && time.GetUtcNow() < expires);
        if (!isAccepted)
        {
            lock (_failures)
                _failures.Enqueue(time.GetUtcNow());
        }

        return isAccepted;
    }

    private static bool AreEqual(string presented, string expected) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(presented), Encoding.UTF8.GetBytes(expected));

    private string Sign(string expires) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token ?? ""), Encoding.UTF8.GetBytes("serve dashboard session " + expires)));
}
