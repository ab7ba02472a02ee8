using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Serve;
using Serve.Experiments;
using Serve.Tests;
using Serve.Tuning;
using Serve.Tuning.Schedulers;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

// `--quick` uses fewer seeds and trials; `--no-peers` omits Optuna.
var quick = args.Contains("--quick");
var seeds = quick ? 6 : 20;
var isMissed = false;
var folder = Directory.CreateTempSubdirectory("serve-tune-bench-").FullName;
Console.WriteLine("| figure | goal | measured | reached |");
Console.WriteLine("| --- | --- | --- | --- |");
try
{
    MeasureSearchers();
    MeasureAsha();
    await MeasureReportsAsync();
    await MeasureTrialsAsync();
}
finally
{
    Directory.Delete(folder, recursive: true);
}

return isMissed ? 1 : 0;

void MeasureSearchers()
{
    var peers = args.Contains("--no-peers") ? [] : MeasureOptuna(quick ? 2 : 6);
    foreach (var (name, space, function, goal) in new (string, ParamSpace, Func<ParamValues, double>, double)[]
    {
        ("branin", OptimizationFunctions.BraninSpace, OptimizationFunctions.Branin, 0.001), ("hartmann", OptimizationFunctions.HartmannSpace, OptimizationFunctions.Hartmann, 0.01),
    })
    {
        var random = MeasureRegret(seed => new BasicVariantSearch(seed), space, function);
        Add($"{name}: random search, regret after 100 trials, median of {seeds} seeds", "", Text(random.Regret), true);
        var gp = MeasureRegret(seed => new GpSearch(seed), space, function);
        Add($"{name}: Gaussian process", $"<= {Text(goal)}; <= 4 ms of CPU", $"{Text(gp.Regret)}; {Text(gp.Microseconds / 1000)} ms a trial", gp.Regret <= goal && gp.Microseconds <= 4000);
        var tpe = MeasureRegret(seed => new TpeSearch(seed), space, function);
        var peer = peers.FirstOrDefault(row => row.Name == name);
        var limit = peer.Name is null ? "" : $"<= 1.1 x Optuna's {Text(peer.Regret)} ({Text(peer.Microseconds)} us); ";
        Add($"{name}: TPE", $"{limit}<= 100 us", $"{Text(tpe.Regret)}; {Text(tpe.Microseconds)} us a trial", (peer.Name is null || tpe.Regret <= 1.1 * peer.Regret) && tpe.Microseconds <= 100);
        var cma = MeasureRegret(seed => new CmaEsSearch(seed), space, function);
        Add($"{name}: CMA-ES", "", $"{Text(cma.Regret)}; {Text(cma.Microseconds)} us a trial", true);
    }
}

// Median regret after 100 trials over the seeds, and the CPU time of a trial.
(double Regret, double Microseconds) MeasureRegret(Func<int, Searcher> create, ParamSpace space, Func<ParamValues, double> function)
{
    const int Trials = 100;
    var begun = Environment.CpuUsage.TotalTime;
    var regret = OptimizationFunctions.MedianRegret(create, space, function, Trials, seeds);
    return (regret, (Environment.CpuUsage.TotalTime - begun).TotalMicroseconds / seeds / Trials);
}

// Learning curves limit + exp(-rate * epoch): the best of 300 trials by ASHA and with all epochs.
void MeasureAsha()
{
    const int Epochs = 81;
    var random = new Random(1);
    var curves = Enumerable.Range(0, 300).Select(_ => (Limit: 1 + random.NextDouble(), Rate: 0.05 + (0.3 * random.NextDouble()))).ToArray();
    var asha = new AshaScheduler(Epochs, gracePeriod: 1, reductionFactor: 3);
    var (used, best) = (0, double.PositiveInfinity);
    foreach (var (index, (limit, rate)) in curves.Index())
    {
        var id = index.ToString(CultureInfo.InvariantCulture);
        asha.Add(id, ParamValues.Empty);
        for (var epoch = 1; ; epoch++)
        {
            used++;
            best = Math.Min(best, limit + Math.Exp(-rate * epoch));
            if (asha.Decide(id, epoch, limit + Math.Exp(-rate * epoch)).Action == TrialAction.Stop)
                break;
        }
    }

    var exhaustive = curves.Min(curve => curve.Limit + Math.Exp(-curve.Rate * Epochs));
    var (part, excess) = (used / (double)(curves.Length * Epochs), (best / exhaustive) - 1);
    Add("ASHA on learning curves: part of the epochs; loss over the best of all", "<= 0.2; <= 1 %", $"{Text(part)}; {Text(100 * excess)} %", part <= 0.2 && excess <= 0.01);
}

// Reports that are decided by ASHA and added to the journal; the same for an early and a late trial.
async Task MeasureReportsAsync()
{
    var trials = quick ? 2_000 : 10_000;
    await using var experiment = Experiment.Create(new RunConfig { Name = "reports", StoragePath = folder }, writesResultFiles: false);
    var asha = new AshaScheduler(1000, gracePeriod: 1000);
    var config = JsonSerializer.SerializeToElement(new { lr = 0.1 });
    var times = new double[trials];
    var begun = Stopwatch.GetTimestamp();
    for (var trial = 0; trial < trials; trial++)
    {
        var id = trial.ToString("00000", CultureInfo.InvariantCulture);
        var trialBegun = Stopwatch.GetTimestamp();
        experiment.AddTrial(id, config);
        asha.Add(id, ParamValues.Empty);
        for (var iteration = 1; iteration <= 10; iteration++)
        {
            experiment.Report(new TrialReported(id, iteration, iteration, MetricValues.From(new { loss = 1.0 / iteration, accuracy = 0.5 })));
            asha.Decide(id, iteration, 1.0 / iteration);
        }

        experiment.ChangeState(id, TrialState.Terminated);
        times[trial] = Stopwatch.GetElapsedTime(trialBegun).TotalMicroseconds;
    }

    await experiment.FlushAsync();
    var perSecond = trials * 10 / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    Add("reports decided and journalled a second", ">= 100,000", perSecond.ToString("#,0", CultureInfo.InvariantCulture), perSecond >= 100_000);
    var (early, late) = (Median(times.AsSpan(trials / 20, trials / 10)), Median(times.AsSpan(trials - (trials / 10))));
    Add("cost of the last trials against early ones", "<= 1.1 x", $"{Text(late / early)} x", late / early <= 1.1);
}

async Task MeasureTrialsAsync()
{
    var trials = quick ? 2_000 : 10_000;
    await using var ray = await Cluster.Init(new() { Observable = false });
    var space = new ParamSpace { ["x"] = Tune.Uniform(0, 1) };
    await Fit("warm", 200);
    var elapsed = await Fit("trials", trials);
    Add($"{trials:#,0} empty trials in process, each", "<= 50 us", $"{Text(elapsed.TotalMicroseconds / trials)} us", elapsed.TotalMicroseconds / trials <= 50);

    async Task<TimeSpan> Fit(string name, int count)
    {
        var begun = Stopwatch.GetTimestamp();
        await new Tuner(ray, space, values => values.Get<double>("x")) { Tune = new() { Metric = "loss", NumSamples = count }, Run = new() { Name = name, StoragePath = folder }, WritesResultFiles = false }.Fit();
        return Stopwatch.GetElapsedTime(begun);
    }
}

void Add(string figure, string goal, string measured, bool isReached)
{
    isMissed |= !isReached;
    Console.WriteLine($"| {figure} | {goal} | {measured} | {(goal.Length == 0 ? "" : isReached ? "yes" : "NO")} |");
}

static string Text(double value) => value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.####", CultureInfo.InvariantCulture);

static double Median(Span<double> values)
{
    values.Sort();
    return values[values.Length / 2];
}

// Optuna is a contestant if python3 can import it.
static (string Name, double Regret, double Microseconds)[] MeasureOptuna(int seeds)
{
    try
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "optuna_peer.py"));
        start.ArgumentList.Add(seeds.ToString(CultureInfo.InvariantCulture));
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var rows = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .Select(parts => (parts[0], double.Parse(parts[1], CultureInfo.InvariantCulture), double.Parse(parts[2], CultureInfo.InvariantCulture))).ToArray();
        process.WaitForExit();
        if (process.ExitCode != 0)
            Console.Error.WriteLine($"Optuna is skipped: {errors.Result.Trim()}");
        return rows;
    }
    catch (System.ComponentModel.Win32Exception failure)
    {
        Console.Error.WriteLine($"Optuna is skipped: {failure.Message}");
        return [];
    }
}
