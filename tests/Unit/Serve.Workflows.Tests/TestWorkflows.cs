using System.Collections.Concurrent;

namespace Serve.Workflows.Tests;

/// <summary>Records the executions of steps by key.</summary>
public static class Effects
{
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<string>> ByKey = new();

    public static void Add(string key, string effect) => ByKey.GetOrAdd(key, _ => new()).Enqueue(effect);

    public static string[] Of(string key) => ByKey.TryGetValue(key, out var effects) ? [.. effects] : [];
}

/// <summary>Holds steps until the test opens the gate.</summary>
public static class Gates
{
    private static readonly ConcurrentDictionary<string, TaskCompletionSource> ByKey = new();

    public static Task Of(string key) => ByKey.GetOrAdd(key, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public static void Open(string key) => ByKey.GetOrAdd(key, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}

public sealed record Trip(string From, string To);

public sealed record Flight(string From, string To, string Key);

public sealed record Approval(bool Yes, string Why);

public sealed record Receipt(string[] Flights, string Hotel, int Bags);

public static partial class Steps
{
    [Step]
    public static async Task<Flight> BookFlight(string from, string to, StepContext step)
    {
        Effects.Add(step.WorkflowId, $"{step.Step} {from}-{to}");
        await Task.Yield();
        return new(from, to, step.IdempotencyKey);
    }

    [Step(MaxRetries = 5, RetryOn = [typeof(IOException)], BackoffSeconds = 0.001)]
    public static string BookHotel(string city, StepContext step)
    {
        Effects.Add(step.WorkflowId, $"hotel attempt {step.Attempt}");
        return step.Attempt < 3 ? throw new IOException("no connection") : $"hotel in {city}";
    }

    [Step]
    public static void CancelFlight(string key, StepContext step) => Effects.Add(step.WorkflowId, $"cancel {key}");

    [Step]
    public static async Task<int> Add(int a, int b, StepContext step)
    {
        Effects.Add(step.WorkflowId, $"{step.Step} {a}+{b}");
        await Task.Yield();
        return a + b;
    }

    [Step]
    public static async Task<int> Wait(string gate, int value, StepContext step, CancellationToken stop)
    {
        Effects.Add(step.WorkflowId, $"{step.Step} started");
        await Gates.Of(gate).WaitAsync(stop);
        return value;
    }

    [Step(Checkpoint = false)]
    public static double[] Read(int count, StepContext step)
    {
        Effects.Add(step.WorkflowId, "read");
        return [.. Enumerable.Range(0, count).Select(i => (double)i)];
    }

    [Step]
    public static string Fail(string message) => throw new InvalidDataException(message);

    [Step]
    public static Stream OpenStream() => new MemoryStream();

    [Step]
    public static string? Nothing() => null;

    [Step]
    public static string Large(int length) => new('x', length);

    [Step]
    public static int Length(string text) => text.Length;

    [Step(Isolation = Isolation.Process)]
    public static int ProcessId() => Environment.ProcessId;

    [Step(Isolation = Isolation.Process)]
    public static string DieOnce(string marker)
    {
        if (!File.Exists(marker))
        {
            File.WriteAllText(marker, "died");
            Environment.FailFast("the worker of a step dies once, on purpose");
        }

        return "survived";
    }
}

[Workflow]
public sealed class BookTrip
{
    private int _bags;

    public async Task<Receipt> Run(WorkflowContext ctx, Trip trip)
    {
        var flights = await Task.WhenAll(ctx.Steps.BookFlight.Run(trip.From, trip.To), ctx.Steps.BookFlight.Run(trip.To, trip.From));
        try
        {
            var hotel = await ctx.Steps.BookHotel.Run(trip.To);
            var approval = await ctx.WaitForEvent<Approval>("approve", timeout: TimeSpan.FromDays(3));
            if (!approval.Yes)
                throw new InvalidOperationException(approval.Why);
            await ctx.Sleep(TimeSpan.FromMilliseconds(10));
            return new([.. flights.Select(flight => flight.Key)], hotel, _bags);
        }
        catch (Exception)
        {
            foreach (var flight in flights)
                await ctx.Steps.CancelFlight.Run(flight.Key);
            throw;
        }
    }

    [Signal]
    public void AddBag(int kilos) => _bags += kilos;

    [Query]
    public int Bags() => _bags;
}

[Workflow]
public sealed class Chain
{
    public async Task<int> Run(WorkflowContext ctx, int steps)
    {
        var sum = 0;
        for (var i = 0; i < steps; i++)
            sum = await ctx.Steps.Add.Run(sum, 1);
        return sum;
    }
}

[Workflow]
public sealed class Gated
{
    public async Task<int> Run(WorkflowContext ctx, string gate)
    {
        var first = await ctx.Steps.Add.Run(1, 1);
        var second = await ctx.Steps.Wait.Run(gate, 40);
        return await ctx.Steps.Add.Run(first, second);
    }
}

[Workflow]
public sealed class ForeignAwait
{
    public async Task<int> Run(WorkflowContext ctx, string kind)
    {
        switch (kind)
        {
            case "delay":
                await Task.Delay(50);
                break;
            case "delay beside an event":
                await Task.WhenAny(Task.Delay(50), ctx.WaitForEvent<int>("never"));
                break;
            case "run":
                await Task.Run(() => Gates.Of("a moment").WaitAsync(TimeSpan.FromMilliseconds(50)).ContinueWith(_ => { }));
                break;
            case "no context":
                await Task.Delay(50).ConfigureAwait(false);
                break;
        }

        return await ctx.Steps.Add.Run(1, 1);
    }
}

[Workflow]
public sealed class Deterministic
{
    public async Task<string> Run(WorkflowContext ctx)
    {
        var first = $"{ctx.NewGuid()} {ctx.Random.Next()} {ctx.Now.UtcTicks}";
        await ctx.WaitForEvent<int>("go");
        var second = $"{ctx.NewGuid()} {ctx.Random.Next()} {ctx.Now.UtcTicks}";
        await ctx.Step("note", (_, _) =>
        {
            Effects.Add(ctx.Id, first);
            return Task.CompletedTask;
        });
        return $"{first} {second}";
    }
}

[Workflow]
public sealed class Parent
{
    public async Task<int> Run(WorkflowContext ctx, string kind)
    {
        if (kind == "self")
            return await ctx.Chain.Run(1, new() { Id = ctx.Id });
        if (kind == "fail")
            return await ctx.FailingChild.Run();
        var results = await Task.WhenAll(ctx.Chain.Run(2), ctx.Gated.Run(kind));
        return results.Sum();
    }
}

[Workflow]
public sealed class FailingChild
{
    public Task<int> Run(WorkflowContext ctx) => throw new InvalidDataException("the child is broken");
}

[Workflow]
public sealed class Endless
{
    public Task<int> Run(WorkflowContext ctx, int depth) => ctx.Endless.Run(depth + 1);
}

[Workflow]
public sealed class Counter
{
    public async Task<int> Run(WorkflowContext ctx, int count, int rounds)
    {
        count += await ctx.WaitForEvent<int>("add");
        return rounds > 1 ? throw ctx.ContinueAsNew(count, rounds - 1) : count;
    }
}

[Workflow]
public sealed class Catcher
{
    public async Task<string> Run(WorkflowContext ctx, string kind)
    {
        switch (kind)
        {
            case "try":
                var result = await ctx.Steps.Fail.TryRun("broken");
                return $"{result.IsSuccess} {result.Error!.Type} {result.Error.Message}";
            case "catch":
                try
                {
                    return await ctx.Steps.Fail.Run("broken");
                }
                catch (WorkflowStepException failure)
                {
                    return $"{failure.Is<InvalidDataException>()} {failure.Is<IOException>()} {failure.Is<ArgumentException>()} {failure.Message}";
                }

            case "null":
                return await ctx.Steps.Nothing.Run() ?? "null";
            case "stream":
                await ctx.Steps.OpenStream.Run();
                return "";
            case "timeout":
                try
                {
                    return await ctx.WaitForEvent<string>("never", TimeSpan.FromMilliseconds(5));
                }
                catch (TimeoutException failure)
                {
                    return failure.Message;
                }

            default:
                throw new InvalidOperationException("no such kind");
        }
    }
}

[Workflow]
public sealed class Stored
{
    public async Task<double> Run(WorkflowContext ctx, int count)
    {
        var numbers = await ctx.Steps.Read.Run(count);
        await ctx.WaitForEvent<int>("go");
        return numbers.Sum();
    }
}

[Workflow]
public sealed class LargeResults
{
    public async Task<int> Run(WorkflowContext ctx, int length)
    {
        var texts = await Task.WhenAll(ctx.Steps.Large.Run(length), ctx.Steps.Large.Run(length));
        await ctx.WaitForEvent<int>("go");
        return await ctx.Steps.Length.Run(texts[0]) + texts[1].Length;
    }
}

[Workflow]
public sealed class Stubborn
{
    public async Task<int> Run(WorkflowContext ctx)
    {
        try
        {
            return await ctx.WaitForEvent<int>("never");
        }
        catch (OperationCanceledException)
        {
            return await ctx.WaitForEvent<int>("not in time either");
        }
    }
}

[Workflow]
public sealed class Wide
{
    public async Task<int> Run(WorkflowContext ctx, int width) =>
        (await Task.WhenAll(Enumerable.Range(0, width).Select(i => ctx.Step("one", (_, _) => Task.FromResult(1))))).Sum();
}

[Workflow]
public sealed class Sleeper
{
    public async Task<string> Run(WorkflowContext ctx, double seconds)
    {
        var before = ctx.Now;
        await ctx.Sleep(TimeSpan.FromSeconds(seconds));
        return (ctx.Now - before) >= TimeSpan.FromSeconds(seconds) ? "slept" : "woke early";
    }
}

[Workflow]
public sealed class Patient
{
    public Task<string> Run(WorkflowContext ctx) =>
        ctx.Step<string>("always fails", (_, _) => throw new IOException("down"), new() { RetryOn = [typeof(IOException)], MaxRetries = -1, Backoff = TimeSpan.FromHours(1), MaxBackoff = TimeSpan.FromHours(1) });
}

[Workflow]
public sealed class SumOfEvents
{
    public async Task<long> Run(WorkflowContext ctx, int count)
    {
        var sum = 0L;
        for (var i = 0; i < count; i++)
            sum += await ctx.WaitForEvent<int>("number");
        return sum;
    }
}

public sealed record ApproverDecision(bool Yes, string By);

[Workflow]
public sealed class Approver
{
    public async Task<string> Run(WorkflowContext ctx)
    {
        var decision = await ctx.WaitForEvent<ApproverDecision>("decision");
        return $"{decision.Yes} {decision.By}";
    }
}

[Workflow]
public sealed class Doorman
{
    private readonly List<string> _guests = [];

    public async Task<string> Run(WorkflowContext ctx, int guests)
    {
        var complete = await ctx.WaitUntil(() => _guests.Count >= guests, TimeSpan.FromDays(1));
        return $"{complete} {string.Join(",", _guests)}";
    }

    [Signal]
    public void Enter(string guest) => _guests.Add(guest == "" ? throw new ArgumentException("no name") : guest);

    [Query]
    public int Count() => _guests.Count;
}
