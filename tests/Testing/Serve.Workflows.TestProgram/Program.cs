using Serve;
using Serve.Workflows;
using Serve.Workflows.Postgres;
using Serve.Workflows.TestProgram;

// Runs workflows until all have ended; killed at random instants and started again by tests. Usage: PROGRAM DATABASE|postgres:CONNECTION EFFECTS INCARNATION WORKFLOWS
KillEffects.Open(args[1], int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture));
var count = int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture);
await using var ray = await Cluster.Init(new() { NumCpus = 8, Observable = false });
await using var workflows = await ray.StartWorkflows(new()
{
    Storage = args[0],
    Store = args[0].StartsWith("postgres:", StringComparison.Ordinal) ? new PostgresWorkflowStore(args[0]["postgres:".Length..], TimeSpan.FromSeconds(2)) : null,
    MaxIdleInMemory = 4,
});
Console.WriteLine("ready");

var results = await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
{
    var handle = await workflows.KilledWorkflow.Start(i, new() { Id = $"kill-{i}" });
    if (handle.GetStatus() == WorkflowStatus.Running)
    {
        try
        {
            await handle.SendEvent("add", 1000, idempotencyKey: "first");
            await handle.Signal(workflow => workflow.Mark(i), idempotencyKey: "mark");
            await handle.SendEvent("add", 2000, idempotencyKey: "second");
        }
        catch (WorkflowStatusException)
        {
            // It has ended since, after it had received everything in an earlier incarnation.
        }
    }

    return await handle.GetResult();
}));
foreach (var result in results)
    Console.WriteLine($"result {result}");
