using System.Diagnostics;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests;

/// <summary>Kills a program with workflows at random instants until all of them have ended.</summary>
public sealed class KillTests
{
    private const int Workflows = 12;

    /// <summary>A few kills; 200 with <c>./test --all</c>.</summary>
    private static readonly int Kills = Environment.GetEnvironmentVariable("SERVE_TEST_ALL") is null ? 6 : 200;

    [Fact]
    public async Task Kill_AtRandomInstants_RepeatsNoLoggedStepAndChangesNoResult()
    {
        var random = new Random(4711);
        var folder = Directory.CreateTempSubdirectory("serve-kill-").FullName;
        try
        {
            string[]? expected = null;
            var kills = 0;
            for (var round = 0; kills < Kills; round++)
            {
                var database = Path.Combine(folder, $"{round}.db");
                var (results, killed) = await RunUntilEnded(database, Path.Combine(folder, $"{round}.effects"), Kills - kills, random);
                kills += killed;
                expected ??= results;
                Assert.Equal(Workflows, results.Length);
                Assert.Equal(expected, results);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Runs the program again and again; kills it while kills are left.</summary>
    private static async Task<(string[] Results, int Kills)> RunUntilEnded(string database, string effects, int maxKills, Random random)
    {
        Dictionary<(string Workflow, int Run, string Step), string?> logged = [];
        for (var incarnation = 0; ; incarnation++)
        {
            var output = incarnation < maxKills && incarnation < 20
                ? await RunAndKill(database, effects, incarnation, TimeSpan.FromMilliseconds(random.Next(0, 250)))
                : await Run(database, effects, incarnation);
            CheckEffects(effects, incarnation, logged);
            CheckLog(database, logged);
            var results = output.Where(line => line.StartsWith("result ", StringComparison.Ordinal)).ToArray();
            if (results.Length == Workflows)
                return (results, incarnation);
        }
    }

    /// <summary>No step whose result was in the log when the process died was executed afterwards.</summary>
    private static void CheckEffects(string effects, int incarnation, Dictionary<(string Workflow, int Run, string Step), string?> logged)
    {
        if (!File.Exists(effects))
            return;
        foreach (var line in File.ReadAllLines(effects).Select(line => line.Split('|')).Where(parts => parts.Length == 5 && parts[0] == $"{incarnation}"))
        {
            var run = int.Parse(line[3].Split('/')[^2], System.Globalization.CultureInfo.InvariantCulture);
            Assert.False(logged.ContainsKey((line[1], run, line[2])), $"Step {line[2]} of {line[1]} was in the log and ran again in incarnation {incarnation}.");
        }
    }

    /// <summary>Results in the log never change or disappear, and no workflow is lost.</summary>
    private static void CheckLog(string database, Dictionary<(string Workflow, int Run, string Step), string?> logged)
    {
        if (!File.Exists(database))
            return;
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from sqlite_master where name='history'";
        if ((long)command.ExecuteScalar()! == 0)
            return;
        command.CommandText = $"select wf, run, name, payload from history where kind={(int)HistoryKind.StepCompleted}";
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                var key = (reader.GetString(0), reader.GetInt32(1), reader.GetString(2));
                var payload = reader.GetString(3);
                if (logged.TryGetValue(key, out var before))
                    Assert.Equal(before, payload);
                logged[key] = payload;
            }
        }

        command.CommandText = "pragma integrity_check";
        Assert.Equal("ok", command.ExecuteScalar());
    }

    private static async Task<string[]> RunAndKill(string database, string effects, int incarnation, TimeSpan afterReady)
    {
        using var process = Start(database, effects, incarnation);
        List<string> lines = [];
        var first = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("ready", first);
        var rest = process.StandardOutput.ReadToEndAsync();
        await Task.WhenAny(rest, Task.Delay(afterReady));
        process.Kill();
        lines.AddRange((await rest).Split('\n'));
        await process.WaitForExitAsync();
        return [.. lines];
    }

    private static async Task<string[]> Run(string database, string effects, int incarnation)
    {
        using var process = Start(database, effects, incarnation);
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.Split('\n');
    }

    private static Process Start(string database, string effects, int incarnation)
    {
        // From its own folder: the tests' folder lacks packages that the web framework contains.
        var program = AppContext.BaseDirectory.Replace("Serve.Workflows.Tests", "Serve.Workflows.TestProgram", StringComparison.Ordinal) + "Serve.Workflows.TestProgram.dll";
        return Process.Start(new ProcessStartInfo("dotnet", [program, database, effects, $"{incarnation}", $"{Workflows}"]) { RedirectStandardOutput = true })!;
    }
}
