using System.Diagnostics;
using System.Globalization;
using Serve.Rl;

// Steps per second of CPU of one thread. `--quick` measures for a shorter time; `--no-peers` omits Gymnasium.
var seconds = args.Contains("--quick") ? 0.3 : 2;
var peers = args.Contains("--no-peers") ? [] : MeasureGymnasium(seconds);
var isMissed = false;
Console.WriteLine("| environment | environments | steps/s of CPU | goal | Gymnasium | ratio |");
Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
foreach (var count in new[] { 1, 64, 1024, 16_384 })
    AddRow("Taxi-v3", count, Measure<int>("Taxi-v3", count), count == 1024 ? 200e6 : null);
foreach (var count in new[] { 1, 64, 1024, 16_384 })
    AddRow("CartPole-v1", count, Measure<float>("CartPole-v1", count), count == 1024 ? 60e6 : null);
foreach (var id in new[] { "FrozenLake-v1", "CliffWalking-v1" })
    AddRow(id, 1024, Measure<int>(id, 1024), null);
foreach (var id in new[] { "MountainCar-v0", "Acrobot-v1", "Blackjack-v1" })
    AddRow(id, 1024, Measure<float>(id, 1024), null);
return isMissed ? 1 : 0;

// Random actions, prepared in advance as a learner has them.
double Measure<TObs>(string id, int count)
    where TObs : unmanaged
{
    using var env = Gym.MakeVec<TObs, int>(id, count);
    env.Reset(1);
    env.SingleActionSpace.Seed(1);
    var actions = Enumerable.Range(0, 16).Select(_ => Enumerable.Range(0, count).Select(_ => (int)env.SingleActionSpace.Sample()).ToArray()).ToArray();
    var batch = Math.Max(16, 20_000 / count);
    var best = 0.0;
    for (var round = 0; round < 5; round++)
    {
        var begun = Environment.CpuUsage.TotalTime;
        var steps = 0L;
        TimeSpan used;
        do
        {
            for (var i = 0; i < batch; i++)
                env.Step(actions[i % actions.Length]);
            steps += batch * (long)count;
            used = Environment.CpuUsage.TotalTime - begun;
        }
        while (used.TotalSeconds < seconds / 5);
        best = Math.Max(best, steps / used.TotalSeconds);
    }

    return best;
}

void AddRow(string id, int count, double perSecond, double? goal)
{
    isMissed |= perSecond < goal;
    var peer = peers.FirstOrDefault(row => row.Id.Split('-')[0] == id.Split('-')[0] && row.Count == count);
    Console.WriteLine($"| {id} | {count} | {Millions(perSecond)} | {(goal is { } wanted ? $"{Millions(wanted)} {(perSecond < goal ? "(missed)" : "(reached)")}" : "")} | "
        + $"{(peer.Id is null ? "" : Millions(peer.PerSecond))} | {(peer.Id is null ? "" : (perSecond / peer.PerSecond).ToString("0", CultureInfo.InvariantCulture) + " ×")} |");
}

static string Millions(double value) => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + " M";

// Gymnasium is a contestant if python3 can import it.
static (string Id, int Count, double PerSecond)[] MeasureGymnasium(double seconds)
{
    try
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "gymnasium_peer.py"));
        start.ArgumentList.Add(seconds.ToString(CultureInfo.InvariantCulture));
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var rows = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .Select(parts => (parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), double.Parse(parts[2], CultureInfo.InvariantCulture))).ToArray();
        process.WaitForExit();
        if (process.ExitCode != 0)
            Console.Error.WriteLine($"Gymnasium is skipped: {errors.Result.Trim()}");
        return rows;
    }
    catch (System.ComponentModel.Win32Exception failure)
    {
        Console.Error.WriteLine($"Gymnasium is skipped: {failure.Message}");
        return [];
    }
}
