using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>
/// Chooses the parameters of trials from the results of earlier ones. Pure: equal seeds and equal results in the same order yield equal suggestions. Not thread-safe; an instance serves one search.
/// </summary>
public abstract class Searcher
{
    private readonly Queue<ParamValues> _initialPoints = new();
    private SearchSpace? _space;

    private protected Searcher(int seed) => Random = new Random(seed);

    /// <summary>Gets points that are evaluated first, for example known good ones. Missing parameters are sampled.</summary>
    public IReadOnlyList<ParamValues> PointsToEvaluate { get; init; } = [];

    /// <summary>The space of the search.</summary>
    internal SearchSpace Space => _space ?? throw new InvalidOperationException("The searcher has not been started.");

    private protected Random Random { get; }

    /// <summary>Starts a search.</summary>
    /// <exception cref="ArgumentException">The space is invalid or has distributions that the searcher does not support.</exception>
    /// <exception cref="InvalidOperationException">The instance already serves a search.</exception>
    internal void Start(ParamSpace space)
    {
        if (_space is not null)
            throw new InvalidOperationException($"{GetType().Name} already serves another search. Create one instance for each search.");
        var created = SearchSpace.Create(space);
        RequireSupported(created);
        foreach (var point in PointsToEvaluate)
        {
            if (point.Keys.FirstOrDefault(path => created.Parameters.All(parameter => parameter.Path != path)) is { } unknown)
                throw new ArgumentException($"Point to evaluate has an unknown parameter '{unknown}'. Parameters: {string.Join(", ", created.Parameters.Select(parameter => parameter.Path))}.", nameof(space));
            _initialPoints.Enqueue(point);
        }

        _space = created;
        Begin();
    }

    /// <summary>Returns the parameters of the next trial; null if the search is exhausted.</summary>
    internal ParamValues? Suggest(string trialId)
    {
        if (!_initialPoints.TryDequeue(out var initial))
            return Choose(trialId);
        var point = Space.Fill(parameter => initial.TryGetValue(parameter.Path, out var value) ? value : SearchSpace.Sample(parameter.Domain!, Random));
        Register(trialId, point);
        return point;
    }

    /// <summary>Adds the result of a trial.</summary>
    /// <param name="trialId">The id of the trial.</param>
    /// <param name="loss">The objective, lower is better; NaN counts as the worst; null if the trial has none and is forgotten.</param>
    internal abstract void Complete(string trialId, double? loss);

    /// <summary>Throws if a distribution is not supported.</summary>
    private protected virtual void RequireSupported(SearchSpace space)
    {
        var unsupported = space.Parameters.Where(parameter => parameter.Domain is GridDomain or FunctionDomain).Select(parameter => parameter.Path).ToArray();
        if (unsupported.Length > 0)
            throw new ArgumentException($"{GetType().Name} does not support GridSearch and SampleFrom, but the space has: {string.Join(", ", unsupported)}. Use BasicVariantSearch.");
    }

    private protected virtual void Begin()
    {
    }

    private protected abstract ParamValues? Choose(string trialId);

    /// <summary>Adds a point that the searcher did not choose.</summary>
    private protected abstract void Register(string trialId, ParamValues point);
}

/// <summary>Base of searchers that model the objective from points in the unit cube.</summary>
public abstract class ModelSearcher : Searcher
{
    private readonly Dictionary<string, double[]> _pending = [];

    private protected ModelSearcher(int seed, int startupTrials)
        : base(seed) => StartupTrials = startupTrials >= 1 ? startupTrials : throw new ArgumentOutOfRangeException(nameof(startupTrials), $"The number of startup trials must be at least 1, but was {startupTrials}.");

    /// <summary>Number of results below which points are random.</summary>
    private protected int StartupTrials { get; }

    /// <summary>The parameters to search, without constants.</summary>
    private protected IReadOnlyList<SearchParameter> Dimensions { get; private set; } = [];

    /// <summary>Positions of results by dimension; NaN where the parameter does not exist, the index of the value for choices.</summary>
    private protected List<double[]> Points { get; } = [];

    private protected List<double> Losses { get; } = [];

    private protected IEnumerable<double[]> PendingPoints => _pending.Values;

    internal sealed override void Complete(string trialId, double? loss)
    {
        if (!_pending.Remove(trialId, out var point) || loss is not { } value)
            return;
        Points.Add(point);
        Losses.Add(double.IsNaN(value) ? double.PositiveInfinity : value);
        Observe(point, Losses[^1], trialId);
    }

    private protected sealed override void Begin()
    {
        Dimensions = [.. Space.Parameters.Where(parameter => parameter.Domain is not null)];
        Initialize();
    }

    private protected virtual void Initialize()
    {
    }

    private protected virtual void Observe(double[] point, double loss, string trialId)
    {
    }

    /// <summary>Returns the next point, or null for a random one. Elements of dimensions without a condition that holds are ignored.</summary>
    private protected abstract double[]? Propose(string trialId);

    private protected sealed override ParamValues? Choose(string trialId)
    {
        var proposed = Propose(trialId);
        var dimension = Dimensions.Index().ToDictionary(item => item.Item.Path, item => item.Index);
        var values = Space.Fill(parameter => proposed is null ? SearchSpace.Sample(parameter.Domain!, Random) : Decode(parameter.Domain!, proposed[dimension[parameter.Path]]));
        Register(trialId, values);
        return values;
    }

    private protected sealed override void Register(string trialId, ParamValues point) =>
        _pending[trialId] = [.. Dimensions.Select(parameter => point.TryGetValue(parameter.Path, out var value) ? Encode(parameter, value) : double.NaN)];

    private static object Decode(ParamDomain domain, double position) => domain is ChoiceDomain choice ? choice.Values[(int)position] : ((ScalarDomain)domain).FromUnit(Math.Clamp(position, 0, 1));

    private static double Encode(SearchParameter parameter, object value) => parameter.Domain is ChoiceDomain choice
        ? choice.IndexOf(value) is var index and >= 0 ? index : throw new ArgumentException($"Parameter '{parameter.Path}' must be one of {string.Join(", ", choice.Values)}, but was {value}.")
        : ((ScalarDomain)parameter.Domain!).ToUnit(value);
}
