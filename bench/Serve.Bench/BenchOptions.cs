namespace Serve.Bench;

/// <summary>What to measure and for how long.</summary>
/// <param name="Sections">The sections to run, in order.</param>
/// <param name="Rounds">How often each contestant gets its turn; medians over the rounds are quoted.</param>
/// <param name="Seconds">How long a turn is.</param>
/// <param name="KillSeconds">How long the kill section lasts.</param>
internal sealed record BenchOptions(IReadOnlyList<string> Sections, int Rounds, int Seconds, int KillSeconds)
{
    /// <summary>The repository's root, which the launcher made the working directory.</summary>
    public static string Root { get; } = Directory.GetCurrentDirectory();

    public static BenchOptions? Parse(string[] args, IEnumerable<string> known)
    {
        var quick = args.Contains("--quick");
        var named = args.Where(arg => arg != "--quick").ToArray();
        if (named.Except(known).Any())
            return null;
        return new(named.Length > 0 ? named : [.. known], quick ? 2 : 5, quick ? 3 : 6, quick ? 15 : 60);
    }
}
