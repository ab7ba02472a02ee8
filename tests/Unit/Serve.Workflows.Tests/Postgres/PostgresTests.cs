using System.Diagnostics;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests.Postgres;

/// <summary>Several hosts on one PostgreSQL database.</summary>
public sealed class PostgresTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    [PostgresFact]
    public async Task Run_TripOnOneHost_WorksAsOnSqlite()
    {
        var connection = await server.CreateDatabase();
        await using var cluster = await Cluster.Init(new() { NumCpus = 8, Observable = false });
        await using var host = await cluster.StartWorkflows(new() { Store = PostgresServer.Store(connection) });

        var handle = await host.BookTrip.Start(new("BER", "LIS"), new() { Id = "pg-trip" });
        await handle.Signal(trip => trip.AddBag(42));
        await handle.SendEvent("approve", new Approval(true, ""), idempotencyKey: "a");
        Assert.False(await host.SendEventJson("pg-trip", "approve", """{"Yes":false,"Why":""}""", "a"));
        Assert.Equal(42, (await handle.GetResult().SoonAsync()).Bags);

        Assert.Equal(3, await host.Parent.Start("pg-gate").ContinueWith(async started =>
        {
            Gates.Open("pg-gate");
            return await (await started).GetResult().SoonAsync() - 41;
        }).Unwrap());
        var counter = await host.Counter.Start(0, 10);
        for (var i = 1; i <= 10; i++)
            await counter.SendEvent("add", i);
        Assert.Equal(55, await counter.GetResult().SoonAsync());
        Assert.Equal(40_000, await host.LargeResults.Start(20_000, new() { Id = "pg-large" }).ContinueWith(async started =>
        {
            await (await started).SendEvent("go", 1);
            return await (await started).GetResult().SoonAsync();
        }).Unwrap());
        await host.Delete("pg-large");
        Assert.Throws<WorkflowNotFoundException>(() => host.GetStatus("pg-large"));
    }

    [PostgresFact]
    public async Task TwoHosts_EventsAndWaitsAcrossHosts_Work()
    {
        var connection = await server.CreateDatabase();
        await using var first = await Cluster.Init(new() { NumCpus = 4, Observable = false });
        await using var second = await Cluster.Init(new() { NumCpus = 4, Observable = false });
        await using var a = await first.StartWorkflows(new() { Store = PostgresServer.Store(connection) });
        await using var b = await second.StartWorkflows(new() { Store = PostgresServer.Store(connection) });

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? a : b).SumOfEvents.Start(20, new() { Id = $"cross-{i}" })));
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => (i % 3 == 0 ? a : b).SendEvent($"cross-{i / 20}", "number", 1)));

        for (var i = 0; i < 20; i++)
            Assert.Equal(20, await (i % 2 == 0 ? b : a).GetOutput<long>($"cross-{i}").SoonAsync());
        await Assert.ThrowsAsync<WorkflowExistsException>(() => b.SumOfEvents.Start(3, new() { Id = "cross-0x" }).ContinueWith(_ => a.SumOfEvents.Start(4, new() { Id = "cross-0x" })).Unwrap());
        await a.Cancel("cross-0x");
        await Assert.ThrowsAsync<WorkflowCanceledException>(() => a.GetOutput<long>("cross-0x").SoonAsync());
    }

    [PostgresFact]
    public async Task TwoHosts_OneIsKilled_TheOtherTakesOver()
    {
        var connection = await server.CreateDatabase();
        var effects = Path.GetTempFileName();
        var program = AppContext.BaseDirectory.Replace("Serve.Workflows.Tests", "Serve.Workflows.TestProgram", StringComparison.Ordinal) + "Serve.Workflows.TestProgram.dll";
        string[] first;
        using (var process = Process.Start(new ProcessStartInfo("dotnet", [program, "postgres:" + connection, effects, "0", "12"]) { RedirectStandardOutput = true })!)
        {
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
            await Eventually.TrueAsync(() => File.ReadLines(effects).Count() > 20);
            process.Kill();
            await process.WaitForExitAsync();
        }

        using (var process = Process.Start(new ProcessStartInfo("dotnet", [program, "postgres:" + connection, effects, "1", "12"]) { RedirectStandardOutput = true })!)
        {
            var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
            await process.WaitForExitAsync();
            first = [.. output.Split('\n').Where(line => line.StartsWith("result ", StringComparison.Ordinal))];
        }

        Assert.Equal(12, first.Length);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"result {i}: {i + 4}"), first.Select(line => string.Join(' ', line.Split(' ')[..3])));
        File.Delete(effects);
    }

    [PostgresFact]
    public async Task Database_RestartedDuringWork_NothingIsLost()
    {
        var connection = await server.CreateDatabase();
        await using var cluster = await Cluster.Init(new() { NumCpus = 8, Observable = false });
        using var logs = new ListLogger();
        await using var host = await cluster.StartWorkflows(new() { Store = PostgresServer.Store(connection), LoggerFactory = logs });
        var handles = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => host.Chain.Start(100, new() { Id = $"down-{i}" })));
        await Eventually.TrueAsync(() => Effects.Of("down-0").Length > 5);

        await server.Restart();

        foreach (var handle in handles)
            Assert.Equal(100, await host.GetOutput<int>(handle.Id).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains(logs.Messages, message => message.Contains("failed and is repeated until it succeeds", StringComparison.Ordinal));
        Assert.All(handles, handle => Assert.Equal(100, host.GetHistory(handle.Id).Count(entry => entry.Kind == HistoryKind.StepCompleted)));
    }
}
