namespace Serve.Bench;

/// <summary>Sections to run and their duration.</summary>
/// <param name="Sections">The sections to run, in order.</param>
/// <param name="Rounds">Number of rounds; medians over the rounds are quoted.</param>
/// <param name="Seconds">Duration of one measurement.</param>
/// <param name="KillSeconds">Duration of the kill section.</param>
internal sealed record BenchOptions(IReadOnlyList<string> Sections, int Rounds, int Seconds, int KillSeconds)
{
    /// <summary>Root of the repository, which is the working directory.</summary>
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
