namespace Serve.Experiments.Checkpoints;

/// <summary>Decides which checkpoints are removed. Pure.</summary>
internal static class CheckpointRetention
{
    /// <summary>Returns the checkpoints to remove, the worst first. The last checkpoint of each trial is kept: the trial resumes from it.</summary>
    public static IReadOnlyList<CheckpointStored> Surplus(IReadOnlyList<CheckpointStored> checkpoints, CheckpointConfig config)
    {
        var removed = new HashSet<CheckpointStored>();
        var last = checkpoints.GroupBy(checkpoint => checkpoint.TrialId).Select(trial => trial.MaxBy(checkpoint => checkpoint.Number)!).ToHashSet();
        if (config.NumToKeep is { } perTrial)
        {
            foreach (var trial in checkpoints.GroupBy(checkpoint => checkpoint.TrialId))
                Remove(trial, perTrial);
        }

        if (config.NumToKeepTotal is { } total)
            Remove(checkpoints.Except(removed), total);
        return [.. WorstFirst(removed)];

        void Remove(IEnumerable<CheckpointStored> candidates, int keep)
        {
            var ranked = WorstFirst(candidates).ToArray();
            removed.UnionWith(ranked.Where(checkpoint => !last.Contains(checkpoint)).Take(Math.Max(0, ranked.Length - keep)));
        }

        IEnumerable<CheckpointStored> WorstFirst(IEnumerable<CheckpointStored> candidates) =>
            candidates.OrderBy(checkpoint => Rank(checkpoint, config)).ThenBy(checkpoint => checkpoint.Iteration).ThenBy(checkpoint => checkpoint.Number);
    }

    /// <summary>Returns the checkpoint with the best score; the latest one without scores.</summary>
    public static CheckpointStored? Best(IEnumerable<CheckpointStored> checkpoints, CheckpointConfig config) =>
        checkpoints.OrderBy(checkpoint => Rank(checkpoint, config)).ThenBy(checkpoint => checkpoint.Iteration).ThenBy(checkpoint => checkpoint.Number).LastOrDefault();

    /// <summary>Higher is better; absent scores and NaN are the worst.</summary>
    private static double Rank(CheckpointStored checkpoint, CheckpointConfig config) => config.ScoreAttribute is null ? 0
        : checkpoint.Score is not { } score || double.IsNaN(score) ? double.NegativeInfinity
        : config.ScoreOrder == ScoreOrder.Max ? score : -score;
}
