using Serve.Tuning.Schedulers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Tests.Schedulers;

public sealed class SchedulerTests
{
    [Fact]
    public void Asha_TrialsAtARung_OnlyTheBestPartContinues()
    {
        var asha = new AshaScheduler(maxIterations: 9, gracePeriod: 1, reductionFactor: 3);
        foreach (var trial in new[] { "a", "b", "c", "d", "e" })
            asha.Add(trial, ParamValues.Empty);

        // The first trial at a rung continues; later ones must be within the best third so far.
        Assert.Equal(TrialAction.Continue, asha.Decide("a", 1, 3).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("b", 1, 5).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("c", 1, 1).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("d", 1, double.NaN).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("c", 2, 100).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("c", 3, 2).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("a", 3, 4).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("c", 9, 0).Action);
    }

    [Fact]
    public void Asha_GracePeriodAndBrackets_StartLater()
    {
        var asha = new AshaScheduler(maxIterations: 100, gracePeriod: 4, reductionFactor: 2, brackets: 2);
        asha.Add("a", ParamValues.Empty);
        asha.Add("b", ParamValues.Empty);
        asha.Add("c", ParamValues.Empty);
        asha.Add("d", ParamValues.Empty);
        foreach (var trial in new[] { "a", "b" })
            Assert.Equal(TrialAction.Continue, asha.Decide(trial, 3, 1).Action);

        // a and c are in the first bracket with a rung at 4; b and d in the second one with a rung at 8.
        Assert.Equal(TrialAction.Continue, asha.Decide("a", 4, 1).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("c", 4, 2).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("b", 7, 2).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("d", 7, 3).Action);
        Assert.Equal(TrialAction.Continue, asha.Decide("b", 8, 2).Action);
        Assert.Equal(TrialAction.Stop, asha.Decide("d", 8, 3).Action);
    }

    [Fact]
    public void Asha_LearningCurves_FindTheBestWithAFifthOfTheEpochs()
    {
        const int Trials = 200;
        const int Epochs = 81;
        var random = new Random(1);
        var curves = Enumerable.Range(0, Trials).Select(_ => (Limit: random.NextDouble(), Rate: 0.05 + (0.3 * random.NextDouble()))).ToArray();
        var asha = new AshaScheduler(Epochs, gracePeriod: 1, reductionFactor: 3);
        var (used, best) = (0, double.PositiveInfinity);
        foreach (var (index, (limit, rate)) in curves.Index())
        {
            var trial = $"t{index}";
            asha.Add(trial, ParamValues.Empty);
            for (var epoch = 1; ; epoch++)
            {
                used++;
                var loss = limit + Math.Exp(-rate * epoch);
                best = Math.Min(best, loss);
                if (asha.Decide(trial, epoch, loss).Action == TrialAction.Stop)
                    break;
            }
        }

        var exhaustive = curves.Min(curve => curve.Limit + Math.Exp(-curve.Rate * Epochs));
        Assert.InRange(used, Trials, Trials * Epochs / 5);
        Assert.InRange(best, exhaustive, exhaustive + 0.05);
    }

    [Fact]
    public void MedianStopping_BelowTheMedian_Stops()
    {
        var median = new MedianStoppingScheduler(gracePeriod: 2, minSamples: 3);
        foreach (var (trial, loss) in new[] { ("a", 1.0), ("b", 2), ("c", 3) })
        {
            for (var iteration = 1; iteration <= 4; iteration++)
                Assert.Equal(TrialAction.Continue, median.Decide(trial, iteration, loss).Action);
        }

        Assert.Equal(TrialAction.Continue, median.Decide("d", 1, 9).Action);
        Assert.Equal(TrialAction.Stop, median.Decide("d", 2, 9).Action);
        Assert.Equal(TrialAction.Continue, median.Decide("e", 2, 1.5).Action);
        // A good result earlier counts.
        Assert.Equal(TrialAction.Continue, median.Decide("e", 3, 9).Action);
    }

    [Fact]
    public void HyperBand_Bracket_PausesAndPromotesTheBest()
    {
        // 9 iterations, factor 3: brackets of 9 trials from iteration 1, 5 from 3, 3 from 9.
        var scheduler = new HyperBandScheduler(maxIterations: 9, reductionFactor: 3);
        var trials = Enumerable.Range(0, 9).Select(index => $"t{index}").ToArray();
        foreach (var trial in trials)
            scheduler.Add(trial, ParamValues.Empty);
        foreach (var (index, trial) in trials[..8].Index())
            Assert.Equal(new TrialDecision(TrialAction.Pause, PausedTrialActions.None), scheduler.Decide(trial, 1, index));

        var last = scheduler.Decide("t8", 1, 0.5);
        Assert.Equal(TrialAction.Continue, last.Action);
        Assert.Equal(["t0", "t1"], last.Paused.Resume);
        Assert.Equal(["t2", "t3", "t4", "t5", "t6", "t7"], last.Paused.Stop);

        // Next rung: iteration 3, one survivor; a trial that fails counts as having reached it.
        Assert.Equal(TrialAction.Continue, scheduler.Decide("t0", 2, 0).Action);
        Assert.Equal(TrialAction.Pause, scheduler.Decide("t0", 3, 0).Action);
        Assert.Equal(TrialAction.Pause, scheduler.Decide("t1", 3, 1).Action);
        var actions = scheduler.Complete("t8");
        Assert.Equal(["t0"], actions.Resume);
        Assert.Equal(["t1"], actions.Stop);
        Assert.Equal(TrialAction.Stop, scheduler.Decide("t0", 9, 0).Action);
    }

    [Fact]
    public void HyperBand_NextBrackets_AreSmallerAndStartLater()
    {
        var scheduler = new HyperBandScheduler(maxIterations: 9, reductionFactor: 3);
        for (var number = 0; number < 17; number++)
            scheduler.Add($"t{number:00}", ParamValues.Empty);

        // The second bracket (t09 to t13) starts at 3; the third (t14 to t16) runs to 9.
        Assert.Equal(TrialAction.Continue, scheduler.Decide("t09", 2, 1).Action);
        Assert.Equal(TrialAction.Pause, scheduler.Decide("t09", 3, 1).Action);
        Assert.Equal(TrialAction.Continue, scheduler.Decide("t14", 8, 1).Action);
        Assert.Equal(TrialAction.Stop, scheduler.Decide("t14", 9, 1).Action);
    }

    [Fact]
    public void HyperBand_NoMoreTrials_PartialBracketGoesOn()
    {
        var scheduler = new HyperBandScheduler(maxIterations: 9, reductionFactor: 3);
        scheduler.Add("a", ParamValues.Empty);
        scheduler.Add("b", ParamValues.Empty);
        Assert.Equal(TrialAction.Pause, scheduler.Decide("a", 1, 2).Action);
        Assert.Equal(TrialAction.Pause, scheduler.Decide("b", 1, 1).Action);

        var actions = scheduler.CloseTrials();

        Assert.Equal(["b"], actions.Resume);
        Assert.Equal(["a"], actions.Stop);
    }

    [Fact]
    public void Pbt_WorstTrial_CopiesAGoodOneAndChangesItsParameters()
    {
        var pbt = new PopulationBasedTraining(new ParamSpace { ["lr"] = Tune.LogUniform(1e-4, 1), ["layers"] = Tune.Choice(1, 2, 4) }, interval: 2, resampleProbability: 0, seed: 1);
        foreach (var (index, trial) in new[] { "a", "b", "c", "d" }.Index())
            pbt.Add(trial, new ParamValues([new("lr", 0.01 * (index + 1)), new("layers", 2), new("other", index)]));
        for (var iteration = 1; iteration <= 2; iteration++)
        {
            foreach (var (index, trial) in new[] { "a", "b", "c" }.Index())
                Assert.Equal(TrialAction.Continue, pbt.Decide(trial, iteration, index).Action);
            if (iteration == 1)
                Assert.Equal(TrialAction.Continue, pbt.Decide("d", 1, 9).Action);
        }

        var decision = pbt.Decide("d", 2, 9);

        Assert.Equal((TrialAction.Exploit, "a"), (decision.Action, decision.Source));
        Assert.Contains(Math.Round(decision.Params!.Get<double>("lr"), 6), new[] { 0.008, 0.012 });
        Assert.Contains(decision.Params.Get<int>("layers"), new[] { 1, 4 });
        Assert.Equal(0, decision.Params["other"]);
        // Not before the next interval, and not if it is no longer among the worst.
        Assert.Equal(TrialAction.Continue, pbt.Decide("d", 3, 9).Action);
        Assert.Equal(TrialAction.Continue, pbt.Decide("d", 4, -1).Action);
    }

    [Fact]
    public void Pbt_Perturbation_StaysWithinBounds()
    {
        var pbt = new PopulationBasedTraining(new ParamSpace { ["x"] = Tune.Uniform(0.9, 1), ["n"] = Tune.RandInt(1, 3) }, interval: 1, quantile: 0.5, seed: 2);
        pbt.Add("a", new ParamValues([new("x", 0.95), new("n", 2)]));
        pbt.Add("b", new ParamValues([new("x", 0.95), new("n", 1)]));
        pbt.Decide("a", 1, 0);
        for (var iteration = 1; iteration < 50; iteration++)
        {
            var decision = pbt.Decide("b", iteration, 1);

            Assert.Equal(TrialAction.Exploit, decision.Action);
            Assert.InRange(decision.Params!.Get<double>("x"), 0.9, 1);
            Assert.InRange(decision.Params.Get<int>("n"), 1, 2);
        }
    }

    [Fact]
    public void Constructors_InvalidNumbers_Throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AshaScheduler(maxIterations: 1, gracePeriod: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AshaScheduler(reductionFactor: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HyperBandScheduler(reductionFactor: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PopulationBasedTraining(new ParamSpace { ["x"] = Tune.Uniform(0, 1) }, quantile: 0.6));
        Assert.Throws<ArgumentException>(() => new PopulationBasedTraining([]));
        Assert.Throws<ArgumentException>(() => new PopulationBasedTraining(new ParamSpace { ["x"] = Tune.GridSearch(1, 2) }));
        Assert.Equal(TrialAction.Continue, new FifoScheduler().Decide("a", 1, double.NaN).Action);
    }
}
