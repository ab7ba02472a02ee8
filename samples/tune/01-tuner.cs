// Finds the learning rate and the number of layers of a simulated training: 40 trials, of which ASHA stops the bad ones early.
//
//     dotnet run -c Release samples/tune/01-tuner.cs

using Serve.Experiments.Checkpoints;
using Serve.Experiments.Progress;
using Serve.Tuning.Schedulers;
using Serve.Tuning.Searchers;

await using var ray = await Cluster.Init();
var space = new ParamSpace { ["lr"] = Tune.LogUniform(1e-5, 1e-1), ["layers"] = Tune.RandInt(1, 5) };
var tuner = new Tuner(ray, space, Train)
{
    Tune = new() { Metric = "loss", NumSamples = 40, Search = new TpeSearch(seed: 1), Scheduler = new AshaScheduler(maxIterations: 27, reductionFactor: 3) },
    Checkpoints = new() { NumToKeep = 1 },
};
var results = await tuner.Fit();

var state = ExperimentState.From(Serve.Experiments.Journaling.Journal.Read(results.Path));
Spectre.Console.AnsiConsole.Write(ProgressTable.Table(ProgressTable.Rows(state, "loss", ScoreOrder.Min), "loss"));
Console.WriteLine($"best: {results.Best.Params} with loss {results.Best.Result.Metrics["loss"]:0.000}; {results.Trials.Sum(trial => trial.Result.Reports.Count)} of {40 * 27} epochs were trained");
Console.WriteLine($"results: {results.Path}");

static async Task Train(TrialContext trial)
{
    var quality = Math.Abs(Math.Log10(trial.Params.Get<double>("lr")) + 3) + (0.3 * Math.Abs(trial.Params.Get<int>("layers") - 3));
    for (var epoch = trial.Restore<int>(); epoch < 27;)
    {
        epoch++;
        trial.Report(new { loss = quality + (2.0 / epoch) }, Checkpoint.Of(epoch));
        await Task.Yield();
    }
}
