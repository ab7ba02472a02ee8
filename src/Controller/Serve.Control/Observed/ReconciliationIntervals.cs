namespace Serve.Control.Observed;

/// <summary>Delays and limits of the controller's retries.</summary>
public static class ReconciliationIntervals
{
    /// <summary>Consecutive failed health checks after which a replica is replaced; Ray Serve's default.</summary>
    public const int HealthFailuresAllowed = 3;

    /// <summary>Failed reconfigurations after which new settings are abandoned.</summary>
    public const int UpdateAttempts = 3;

    /// <summary>Delay after the first failure.</summary>
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(0.1);

    /// <summary>Maximum delay after failures.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    /// <summary>Interval between checks for free resources, and between retries of operations of the platform itself.</summary>
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>A replica that dies within this time after its start is crashing; a later death is an accident.</summary>
    public static readonly TimeSpan CrashWindow = TimeSpan.FromSeconds(2);

    /// <summary>How long a death is reported as the reason of later starts.</summary>
    public static readonly TimeSpan RecentDeathWindow = TimeSpan.FromMinutes(1);

    /// <summary>Returns the delay after a number of consecutive failed rounds; it doubles each time.</summary>
    public static TimeSpan RetryDelay(int rounds) => rounds <= 0
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(LongestRetry.TotalSeconds, FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(rounds - 1, 16))));
}
