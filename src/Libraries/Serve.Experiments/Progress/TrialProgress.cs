using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Serve.Experiments.Progress;

/// <summary>One row of a progress table.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="State">The state.</param>
/// <param name="Iteration">The number of reports.</param>
/// <param name="Seconds">The running time.</param>
/// <param name="Parameters">The parameters as text.</param>
/// <param name="Metric">The last value of the objective; null without reports.</param>
/// <param name="IsBest">Whether the trial is the best so far.</param>
public sealed record TrialProgress(string TrialId, TrialState State, int Iteration, double Seconds, string Parameters, double? Metric, bool IsBest);

/// <summary>Formats the progress of an experiment.</summary>
public static class ProgressTable
{
    /// <summary>Returns the rows of an experiment.</summary>
    /// <param name="state">The state of the experiment.</param>
    /// <param name="metric">The metric to show.</param>
    /// <param name="order">Whether high or low values are better.</param>
    public static IReadOnlyList<TrialProgress> Rows(ExperimentState state, string metric, ScoreOrder order)
    {
        ArgumentNullException.ThrowIfNull(state);
        var rows = state.Trials.Select(trial => (trial, Value: trial.LastReport is { } report && report.Metrics.TryGetValue(metric, out var value) ? value : (double?)null)).ToArray();
        var comparable = rows.Where(row => row.Value is { } value && !double.IsNaN(value)).ToArray();
        var best = comparable.Length == 0 ? null : order == ScoreOrder.Max ? comparable.MaxBy(row => row.Value).trial : comparable.MinBy(row => row.Value).trial;
        return [.. rows.Select(row => new TrialProgress(
            row.trial.Id, row.trial.State, row.trial.LastReport?.Iteration ?? 0, row.trial.LastReport?.Seconds ?? 0, Describe(row.trial.Config), row.Value, row.trial == best))];
    }

    /// <summary>Returns one line with the number of trials in each state and the best trial.</summary>
    public static string Line(IReadOnlyList<TrialProgress> rows, string metric)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var counts = string.Join(", ", rows.GroupBy(row => row.State).OrderBy(group => group.Key).Select(group => $"{group.Count()} {group.Key.ToString().ToLowerInvariant()}"));
        var best = rows.FirstOrDefault(row => row.IsBest);
        return $"{rows.Count} trials: {counts}{(best is null ? "" : FormattableString.Invariant($"; best {metric} {best.Metric:G6} ({best.TrialId}: {best.Parameters})"))}";
    }

    /// <summary>Returns one JSON object per row, each on a line.</summary>
    public static string JsonLines(IReadOnlyList<TrialProgress> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var metric = row.Metric is { } value && double.IsFinite(value) ? value : (double?)null;
            text.Append(JsonSerializer.Serialize(new { trial = row.TrialId, state = row.State.ToString(), iteration = row.Iteration, seconds = row.Seconds, parameters = row.Parameters, metric, best = row.IsBest })).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Returns a table for a terminal; the best trial is marked.</summary>
    public static Table Table(IReadOnlyList<TrialProgress> rows, string metric)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var table = new Table().Border(TableBorder.Rounded).AddColumns("trial", "state", "iteration", Markup.Escape(metric), "time", "parameters");
        foreach (var row in rows)
        {
            var style = row.IsBest ? "bold green" : row.State == TrialState.Error ? "red" : "default";
            string[] cells = [(row.IsBest ? "* " : "") + row.TrialId, row.State.ToString(), row.Iteration.ToString(CultureInfo.InvariantCulture),
                row.Metric is { } value ? value.ToString("G6", CultureInfo.InvariantCulture) : "–", row.Seconds.ToString("0.0 s", CultureInfo.InvariantCulture), row.Parameters];
            table.AddRow([.. cells.Select(cell => new Markup(Markup.Escape(cell), Style.Parse(style)))]);
        }

        return table;
    }

    private static string Describe(JsonElement config) => config.ValueKind == JsonValueKind.Object
        ? string.Join(", ", config.EnumerateObject().Select(pair => $"{pair.Name}={Format(pair.Value)}"))
        : config.GetRawText();

    private static string Format(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble().ToString("G4", CultureInfo.InvariantCulture) : value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
