using System.Diagnostics;

namespace Serve.Stress;

/// <summary>Runs rounds of tasks and calls, spread over the duration, while workers are killed.</summary>
internal static class StressTestRunner
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static async Task RunAsync(StressRunPlan plan, StressCheckResults verdict)
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 4, NumGpus = 0, TaskHistory = 100 });
        var random = new Random(plan.Seed);
        var tasks = new StressTaskWorkload(ray, verdict, plan.Seed);
        var actors = new StressActorWorkload(ray, plan, verdict);
        var nests = new NestedActorWorkload(ray, plan, verdict);
        var killer = new RandomWorkerKiller(ray, () => tasks.Ended, plan.Seed + 1);
        using var stop = new CancellationTokenSource();
        var killing = killer.RunAsync(stop.Token);

        var rounds = (int)Math.Max(1, plan.Duration / Round);
        var underWay = new List<Task>();
        var began = Stopwatch.GetTimestamp();
        var told = began;
        var started = 0;
        for (var round = 1; round <= rounds; round++)
        {
            for (var due = (int)((long)plan.Tasks * round / rounds); started < due; started++)
                underWay.Add(tasks.OneAsync());
            underWay.AddRange(actors.Calls(random, Math.Max(1, plan.Actors / 4)));
            underWay.AddRange(nests.Calls());
            underWay.RemoveAll(task => task.IsCompleted);
            if (Stopwatch.GetElapsedTime(told) > TimeSpan.FromSeconds(10))
            {
                told = Stopwatch.GetTimestamp();
                Console.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds,4:0} s: {tasks.Ended:N0} tasks completed, {underWay.Count:N0} tasks and calls in progress, {killer.Kills} kills, {verdict.Failed} failures");
            }

            // A run that is slower than planned is fine; an unbounded backlog is not.
            if (underWay.Count > 20_000)
                await Task.WhenAll(underWay).WaitAsync(Patience);
            var ahead = (Round * round) - Stopwatch.GetElapsedTime(began);
            if (ahead > TimeSpan.Zero)
                await Task.Delay(ahead);
        }

        try
        {
            await Task.WhenAll(underWay).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            verdict.Fail($"{underWay.Count(task => !task.IsCompleted)} tasks and calls are incomplete {Patience} after the last one was started");
            foreach (var state in ray.ListTasks().Where(task => task.EndTime is null).Take(20))
                Console.WriteLine(state);
        }

        await stop.CancelAsync();
        await killing;
        await actors.SettleAsync().WaitAsync(Patience);
        nests.Settle();
        Console.WriteLine($"{tasks.Ended:N0} tasks, {plan.Actors:N0} actors, {nests.Made:N0} calls of nested actors, {killer.Kills} kills in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");
        verdict.Check(tasks.Ended == plan.Tasks, () => $"{tasks.Ended} of {plan.Tasks} tasks completed");
    }
}

/// <summary>Settings of one run.</summary>
/// <param name="Duration">Period over which the tasks are spread.</param>
/// <param name="Tasks">Number of tasks.</param>
/// <param name="Actors">Number of actors.</param>
/// <param name="Seed">Seed of all random numbers.</param>
/// <param name="Folder">Folder of the actors' journals.</param>
internal sealed record StressRunPlan(TimeSpan Duration, int Tasks, int Actors, int Seed, string Folder);
