namespace Serve;

/// <summary>Creates durations from integers: <c>2.Seconds</c>, <c>500.Milliseconds</c>.</summary>
public static class DurationExtensions
{
    extension(int amount)
    {
        /// <summary>Gets a duration in seconds.</summary>
        public TimeSpan Seconds => TimeSpan.FromSeconds(amount);

        /// <summary>Gets a duration in milliseconds.</summary>
        public TimeSpan Milliseconds => TimeSpan.FromMilliseconds(amount);

        /// <summary>Gets a duration in minutes.</summary>
        public TimeSpan Minutes => TimeSpan.FromMinutes(amount);
    }
}
