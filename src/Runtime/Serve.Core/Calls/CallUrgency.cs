namespace Serve.Calls;

/// <summary>How urgent a call is; the default is a call without a deadline and with priority 0. Calls made while serving it inherit it.</summary>
/// <param name="Deadline">Timestamp of this process's clock (<see cref="TimeProvider.GetTimestamp"/>) after which no caller waits for the result; 0 for none.</param>
/// <param name="Priority">From <see cref="MinPriority"/> to <see cref="MaxPriority"/>; calls with higher ones leave queues first.</param>
public readonly record struct CallUrgency(long Deadline, int Priority)
{
    /// <summary>The lowest priority.</summary>
    public const int MinPriority = -10;

    /// <summary>The highest priority.</summary>
    public const int MaxPriority = 10;

    // Longer ones are as good as none; in ticks, they must not overflow.
    private const double MaxSeconds = 1e9;

    /// <summary>Gets whether there is neither a deadline nor a priority.</summary>
    public bool IsDefault => Deadline == 0 && Priority == 0;

    /// <summary>Returns the urgency with a timeout from now, unless the deadline is earlier.</summary>
    /// <param name="timeout">The timeout.</param>
    /// <param name="time">The clock.</param>
    public CallUrgency Within(TimeSpan timeout, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        var deadline = time.GetTimestamp() + (long)(Math.Min(timeout.TotalSeconds, MaxSeconds) * time.TimestampFrequency);
        return Deadline != 0 && Deadline <= deadline ? this : this with { Deadline = deadline };
    }

    /// <summary>Returns the time until the deadline, at least 0; null if there is none.</summary>
    /// <param name="time">The clock.</param>
    public TimeSpan? RemainingTime(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        if (Deadline == 0)
            return null;
        var remaining = time.GetElapsedTime(time.GetTimestamp(), Deadline);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }
}
