// A deployment that starts durable workflows and approves them over HTTP. An expense waits for its approval, also while the node is stopped.
//
//     ./serve run samples/workflows/Approval --state-dir /tmp/expenses
//     curl -X POST localhost:8000/Expenses -H 'Content-Type: application/json' -d '{"id":"trip-1","by":"ann","amount":120}'
//     curl localhost:8000/Expenses/trip-1
//     ./serve workflow send-event trip-1 decision '{"yes":true,"by":"bob"}'
//     curl localhost:8000/Expenses/trip-1
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve;
using Serve.Workflows;

[Deployment]
public sealed class Expenses : IIngress, IAsyncDisposable
{
    // A cluster of this process, so that steps run here in every isolation.
    private readonly Task<Cluster> _cluster = Cluster.Init();
    private readonly Task<WorkflowHost> _workflows;

    // Not awaited here: during a rollout the file belongs to the replica that this one replaces until that one has ended.
    public Expenses(string storage = "/tmp/serve-sample-expenses.db") => _workflows = StartAsync(storage);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/", async (Expense expense) =>
        {
            var handle = await (await _workflows).ApproveExpense.Start(expense, new() { Id = expense.Id, Metadata = { ["by"] = expense.By } });
            return Results.Accepted($"/Expenses/{handle.Id}", handle.GetMetadata());
        });
        routes.MapGet("/{id}", async (string id) =>
        {
            var workflows = await _workflows;
            try
            {
                return workflows.GetStatus(id) == WorkflowStatus.Running ? Results.Json(new { id, status = "waiting" }) : Results.Json(await workflows.GetOutput<Payment>(id));
            }
            catch (WorkflowNotFoundException unknown)
            {
                return Results.Problem(unknown.Message, statusCode: StatusCodes.Status404NotFound);
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await (await _workflows).DisposeAsync();
        await (await _cluster).DisposeAsync();
    }

    private async Task<WorkflowHost> StartAsync(string storage) => await (await _cluster).StartWorkflows(new() { Storage = storage, StorageWait = Timeout.InfiniteTimeSpan });
}

public sealed record Expense(string Id, string By, decimal Amount);

public sealed record Decision(bool Yes, string By);

public sealed record Payment(string Expense, bool Paid, string Reason);

[Workflow]
public sealed class ApproveExpense
{
    public async Task<Payment> Run(WorkflowContext ctx, Expense expense)
    {
        if (expense.Amount > 50)
        {
            var decision = await ctx.WaitForEvent<Decision>("decision");
            if (!decision.Yes)
                return new(expense.Id, false, $"declined by {decision.By}");
        }

        return await ctx.Payments.Pay.Run(expense);
    }
}

public static class Payments
{
    [Step(MaxRetries = 5)]
    public static Payment Pay(Expense expense, StepContext step)
    {
        Console.WriteLine($"paying {expense.Amount} to {expense.By}, key {step.IdempotencyKey}");
        return new(expense.Id, true, "paid");
    }
}
