using System.Globalization;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>Whether the objective is minimized or maximized.</summary>
public enum Mode
{
    /// <summary>Lower is better.</summary>
    Min,

    /// <summary>Higher is better.</summary>
    Max,
}

/// <summary>A trial of a <see cref="Study"/>.</summary>
/// <param name="Id">The id.</param>
/// <param name="Params">The parameters.</param>
/// <param name="Value">The objective; null while the trial is running or if it was abandoned.</param>
public sealed record StudyTrial(string Id, ParamValues Params, double? Value = null);

/// <summary>A search that the caller drives: ask for parameters, evaluate them anywhere, tell the result. Several trials can run at a time. Not thread-safe.</summary>
public sealed class Study
{
    private readonly Searcher _searcher;
    private readonly Mode _mode;
    private readonly Dictionary<string, StudyTrial> _running = [];
    private readonly List<StudyTrial> _completed = [];
    private int _asked;

    /// <summary>Starts a search.</summary>
    /// <param name="space">The search space.</param>
    /// <param name="searcher">The search algorithm; by default <see cref="GpSearch"/> for up to 20 parameters without conditions, otherwise <see cref="TpeSearch"/>, and
    /// <see cref="BasicVariantSearch"/> for spaces with a grid.</param>
    /// <param name="mode">Whether the objective is minimized or maximized.</param>
    /// <exception cref="ArgumentException">The space is invalid or has distributions that the searcher does not support.</exception>
    public Study(ParamSpace space, Searcher? searcher = null, Mode mode = Mode.Min)
    {
        _searcher = searcher ?? DefaultFor(SearchSpace.Create(space));
        _searcher.Start(space);
        _mode = mode;
    }

    /// <summary>Gets the completed trials in the order of their results.</summary>
    public IReadOnlyList<StudyTrial> Trials => _completed;

    /// <summary>Gets the best completed trial.</summary>
    /// <exception cref="InvalidOperationException">No trial has a result other than NaN.</exception>
    public StudyTrial Best
    {
        get
        {
            var valid = _completed.Where(trial => trial.Value is { } value && !double.IsNaN(value)).ToArray();
            if (valid.Length == 0)
                throw new InvalidOperationException($"The study has no result other than NaN; {_completed.Count} trials have completed.");
            return _mode == Mode.Min ? valid.MinBy(trial => trial.Value)! : valid.MaxBy(trial => trial.Value)!;
        }
    }

    /// <summary>Returns a trial to evaluate; null if a grid is exhausted.</summary>
    public StudyTrial? Ask()
    {
        var id = _asked.ToString("00000", CultureInfo.InvariantCulture);
        if (_searcher.Suggest(id) is not { } point)
            return null;
        _asked++;
        return _running[id] = new StudyTrial(id, point);
    }

    /// <summary>Adds the result of a trial. NaN counts as the worst value.</summary>
    /// <exception cref="ArgumentException">The trial is not running.</exception>
    public void Tell(StudyTrial trial, double value)
    {
        Remove(trial);
        _completed.Add(trial with { Value = value });
        _searcher.Complete(trial.Id, _mode == Mode.Min ? value : -value);
    }

    /// <summary>Abandons a trial, for example because its evaluation failed.</summary>
    /// <exception cref="ArgumentException">The trial is not running.</exception>
    public void Abandon(StudyTrial trial)
    {
        Remove(trial);
        _searcher.Complete(trial.Id, null);
    }

    private void Remove(StudyTrial trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        if (!_running.Remove(trial.Id))
            throw new ArgumentException($"Trial {trial.Id} is not running. Pass a trial that Ask returned, once.", nameof(trial));
    }

    private static Searcher DefaultFor(SearchSpace space) =>
        space.Parameters.Any(parameter => parameter.Domain is GridDomain or FunctionDomain) ? new BasicVariantSearch()
        : space.Parameters.Any(parameter => parameter.Condition is not null) || space.Parameters.Count(parameter => parameter.Domain is not null) > 20 ? new TpeSearch()
        : new GpSearch();
}
