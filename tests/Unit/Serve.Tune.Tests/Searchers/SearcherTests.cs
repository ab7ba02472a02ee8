using Serve.Tests;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Tests.Searchers;

public sealed class SearcherTests
{
    private static readonly ParamSpace Mixed = new()
    {
        ["x"] = Tune.Uniform(-1, 1), ["n"] = Tune.RandInt(1, 9), ["kind"] = Tune.Choice("good", "bad", "worse"), ["extra"] = Tune.When("kind", "good", Tune.LogUniform(0.01, 1)),
    };

    [Fact]
    public void BasicVariant_Grid_VisitsAllCellsForEachSample()
    {
        var space = new ParamSpace { ["a"] = Tune.GridSearch(1, 2), ["b"] = Tune.GridSearch("x", "y", "z"), ["r"] = Tune.Uniform(0, 1) };
        var study = new Study(space, new BasicVariantSearch(seed: 1, numSamples: 2));
        List<StudyTrial> trials = [];
        while (study.Ask() is { } trial)
            trials.Add(trial);

        Assert.Equal(12, trials.Count);
        Assert.Equal(6, trials.Select(trial => (trial.Params["a"], trial.Params["b"])).Distinct().Count());
        Assert.All(trials.GroupBy(trial => (trial.Params["a"], trial.Params["b"])), cell => Assert.Equal(2, cell.Count()));
        Assert.Equal(12, trials.Select(trial => trial.Params["r"]).Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => new Study(space, new BasicVariantSearch(numSamples: 0)));
    }

    public static TheoryData<string> Models => ["tpe", "gp", "random"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Ask_SameSeedAndResults_SuggestsTheSame(string model)
    {
        var (first, second) = (new Study(Mixed, Create(model, 7)), new Study(Mixed, Create(model, 7)));
        for (var number = 0; number < 25; number++)
        {
            var (a, b) = (first.Ask()!, second.Ask()!);

            Assert.Equal(a.Params, b.Params);
            first.Tell(a, Objective(a.Params));
            second.Tell(b, Objective(b.Params));
        }
    }

    [Theory]
    [InlineData("tpe")]
    [InlineData("gp")]
    public void Ask_MixedSpace_FindsTheGoodChoice(string model)
    {
        var study = new Study(Mixed, Create(model, 3));
        for (var number = 0; number < 60; number++)
        {
            var trial = study.Ask()!;
            // Some evaluations fail, and one region diverges.
            if (number % 11 == 5)
                study.Abandon(trial);
            else
                study.Tell(trial, trial.Params.Get<double>("x") < -0.6 ? double.NaN : Objective(trial.Params));
        }

        Assert.Equal("good", study.Best.Params["kind"]);
        Assert.InRange(study.Best.Value!.Value, 0, 0.2);
        Assert.True(study.Trials.TakeLast(20).Count(trial => (string)trial.Params["kind"] == "good") > 10);
    }

    [Theory]
    [InlineData("tpe")]
    [InlineData("gp")]
    [InlineData("cma")]
    public void Ask_ManyAtOnce_AreDistinct(string model)
    {
        var study = new Study(OptimizationFunctions.BraninSpace, Create(model, 1));
        for (var round = 0; round < 6; round++)
        {
            var trials = Enumerable.Range(0, 4).Select(_ => study.Ask()!).ToArray();
            Assert.Equal(4, trials.Select(trial => trial.Params).Distinct().Count());
            foreach (var trial in trials)
                study.Tell(trial, OptimizationFunctions.Branin(trial.Params));
        }
    }

    [Fact]
    public void Gp_Branin_FindsTheMinimum() => Assert.InRange(OptimizationFunctions.MedianRegret(seed => new GpSearch(seed), OptimizationFunctions.BraninSpace, OptimizationFunctions.Branin, 60, 5), 0, 0.01);

    [Fact]
    public void Gp_Hartmann_FindsTheMinimum() => Assert.InRange(OptimizationFunctions.MedianRegret(seed => new GpSearch(seed), OptimizationFunctions.HartmannSpace, OptimizationFunctions.Hartmann, 80, 3), 0, 0.15);

    [Fact]
    public void Tpe_Branin_IsBetterThanRandom()
    {
        var random = OptimizationFunctions.MedianRegret(seed => new BasicVariantSearch(seed), OptimizationFunctions.BraninSpace, OptimizationFunctions.Branin, 100, 11);
        var tpe = OptimizationFunctions.MedianRegret(seed => new TpeSearch(seed), OptimizationFunctions.BraninSpace, OptimizationFunctions.Branin, 100, 11);

        Assert.InRange(tpe, 0, 0.15);
        Assert.True(tpe < random / 2, $"TPE {tpe}, random {random}");
    }

    [Fact]
    public void CmaEs_Hartmann_Converges() => Assert.InRange(OptimizationFunctions.MedianRegret(seed => new CmaEsSearch(seed), OptimizationFunctions.HartmannSpace, OptimizationFunctions.Hartmann, 400, 5), 0, 0.13);

    [Fact]
    public void PointsToEvaluate_AreFirst_AndCompleted()
    {
        var study = new Study(Mixed, new TpeSearch(1) { PointsToEvaluate = [new ParamValues([new("x", 0.5), new("kind", "bad")])] });

        var first = study.Ask()!.Params;
        Assert.Equal((0.5, "bad"), (first.Get<double>("x"), first["kind"]));
        Assert.False(first.ContainsKey("extra"));
        Assert.InRange(first.Get<int>("n"), 1, 8);
        Assert.Contains("unknown parameter 'z'", Assert.Throws<ArgumentException>(() => new Study(Mixed, new TpeSearch(1) { PointsToEvaluate = [new ParamValues([new("z", 1)])] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Study_UnsupportedDistributions_AreListed()
    {
        var space = new ParamSpace { ["a"] = Tune.GridSearch(1, 2), ["b"] = Tune.SampleFrom(_ => 1) };

        Assert.Contains("TpeSearch does not support GridSearch and SampleFrom, but the space has: a, b.", Assert.Throws<ArgumentException>(() => new Study(space, new TpeSearch())).Message, StringComparison.Ordinal);
        Assert.Contains("CmaEsSearch does not support Choice and When, but the space has: kind, extra.", Assert.Throws<ArgumentException>(() => new Study(Mixed, new CmaEsSearch())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TpeSearch(startupTrials: 0));
        var searcher = new TpeSearch();
        _ = new Study(Mixed, searcher);
        Assert.Throws<InvalidOperationException>(() => new Study(Mixed, searcher));
    }

    [Fact]
    public void Study_ModeMax_FindsTheMaximum()
    {
        var study = new Study(new ParamSpace { ["x"] = Tune.Uniform(-1, 1) }, mode: Mode.Max);
        Assert.Throws<InvalidOperationException>(() => study.Best);
        for (var number = 0; number < 25; number++)
        {
            var trial = study.Ask()!;
            study.Tell(trial, -Math.Pow(trial.Params.Get<double>("x") - 0.25, 2));
        }

        Assert.Equal(0.25, study.Best.Params.Get<double>("x"), 0.02);
        Assert.Throws<ArgumentException>(() => study.Tell(study.Best, 1));
    }

    private static Searcher Create(string model, int seed) => model switch
    {
        "tpe" => new TpeSearch(seed),
        "gp" => new GpSearch(seed),
        "cma" => new CmaEsSearch(seed),
        _ => new BasicVariantSearch(seed),
    };

    private static double Objective(ParamValues values) =>
        Math.Abs(values.Get<double>("x") - 0.3) + (0.02 * Math.Abs(values.Get<int>("n") - 4)) + ((string)values["kind"] switch { "good" => 0, "bad" => 0.5, _ => 1 });
}
