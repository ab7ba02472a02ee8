namespace Serve;

/// <summary>Durations that read as they are spoken: <c>2.Seconds</c>, <c>500.Milliseconds</c>.</summary>
public static class DurationExtensions
{
    extension(int amount)
    {
        /// <summary>That many seconds.</summary>
        public TimeSpan Seconds => TimeSpan.FromSeconds(amount);

        /// <summary>That many milliseconds.</summary>
        public TimeSpan Milliseconds => TimeSpan.FromMilliseconds(amount);

        /// <summary>That many minutes.</summary>
        public TimeSpan Minutes => TimeSpan.FromMinutes(amount);
    }
}
