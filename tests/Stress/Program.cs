using System.Diagnostics;
using System.Globalization;
using Serve.Stress;

// Serve.Stress [SECONDS [TASKS [ACTORS]]]
var seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 300;
var tasks = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100_000;
var actors = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1_000;

var seed = Environment.TickCount;
Console.WriteLine($"{tasks:N0} tasks, {actors:N0} actors, random kills of workers, {seconds} s, seed {seed}");
var verdict = new StressCheckResults();

// A separate temporary folder, so that files of other programs are not reported.
var scratch = Directory.CreateTempSubdirectory("stress-");
var temporary = scratch.CreateSubdirectory("tmp");
Environment.SetEnvironmentVariable("TMPDIR", temporary.FullName);
var before = ProcessResourceInventory.Find();
var memoryBefore = ProcessResourceInventory.Memory();
var began = Stopwatch.GetTimestamp();
try
{
    await StressTestRunner.RunAsync(new(TimeSpan.FromSeconds(seconds), tasks, actors, seed, scratch.FullName), verdict);
}
catch (Exception broken)
{
    Console.WriteLine($"BROKE OFF: {broken}");
    verdict.Fail("the run broke off");
}

var left = ProcessResourceInventory.Find().Except(before).ToArray();
verdict.Check(left.Length == 0, () => $"left behind: {string.Join(", ", left)}");
scratch.Delete(recursive: true);
var grown = (ProcessResourceInventory.Memory() - memoryBefore) / 1e6;
verdict.Check(grown < 20, () => $"managed memory grew by {grown:0.0} MB");
Console.WriteLine($"managed memory at the end: {grown:+0.0;-0.0} MB; {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");
Console.WriteLine($"{verdict.Passed} passed, {verdict.Failed} failed");
return verdict.Failed == 0 ? 0 : 1;
