namespace Serve.Control;

/// <summary>How long the controller waits before it tries something again.</summary>
public static class ReconciliationIntervals
{
    /// <summary>How many health checks must fail in a row before a replica is replaced; Ray Serve's number.</summary>
    public const int HealthFailuresAllowed = 3;

    /// <summary>The first wait after a failure.</summary>
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(0.1);

    /// <summary>The longest wait after failures.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    /// <summary>Between looks at whether there is room now, and between tries of what the platform itself failed at.</summary>
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>A replica that dies within this time of coming up is crashing; one that dies later had an accident.</summary>
    public static readonly TimeSpan CrashWindow = TimeSpan.FromSeconds(2);

    /// <summary>How long a death is told as the reason of what follows.</summary>
    public static readonly TimeSpan RecentDeathWindow = TimeSpan.FromMinutes(1);

    /// <summary>The wait after so many failed rounds in a row: it doubles each time.</summary>
    public static TimeSpan RetryDelay(int rounds) => rounds <= 0
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(LongestRetry.TotalSeconds, FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(rounds - 1, 16))));
}
