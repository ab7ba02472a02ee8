using System.Globalization;
using System.Text;

namespace Serve.Workflows.TestProgram;

/// <summary>Appends the executions of steps to a file that survives the death of the process.</summary>
public static class KillEffects
{
    private static FileStream? _file;
    private static int _incarnation;

    public static void Open(string path, int incarnation)
    {
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 1);
        _incarnation = incarnation;
    }

    public static void Add(StepContext step, string value)
    {
        if (_file is null)
            return;
        var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_incarnation}|{step.WorkflowId}|{step.Step}|{step.IdempotencyKey}|{value}\n"));
        lock (_file)
            _file.Write(line);
    }
}

/// <summary>Steps of the killed workflows.</summary>
public static class KillSteps
{
    [Step]
    public static async Task<int> Work(int value, StepContext step)
    {
        KillEffects.Add(step, value.ToString(CultureInfo.InvariantCulture));
        await Task.Delay(1);
        return value + 1;
    }

    [Step(MaxRetries = 3, RetryOn = [typeof(IOException)], BackoffSeconds = 0.002)]
    public static int Flaky(int value, StepContext step)
    {
        KillEffects.Add(step, value.ToString(CultureInfo.InvariantCulture));
        return step.Attempt < 2 ? throw new IOException("try again") : value * 2;
    }
}

/// <summary>Everything that a workflow can wait for: steps in sequence and in parallel, retries, timers, events, signals, a child and a new run.</summary>
[Workflow]
public sealed class KilledWorkflow
{
    private int _mark = -1;

    public async Task<string> Run(WorkflowContext ctx, int number)
    {
        var value = number;
        for (var i = 0; i < 4; i++)
            value = await ctx.KillSteps.Work.Run(value);
        var parallel = await Task.WhenAll(Branch(ctx, value), Branch(ctx, value + 100), Branch(ctx, value + 200));
        await ctx.Sleep(TimeSpan.FromMilliseconds(3));
        var first = await ctx.WaitForEvent<int>("add");
        var child = await ctx.KilledChild.Run(value, 2);
        await ctx.WaitUntil(() => _mark >= 0);
        var second = await ctx.WaitForEvent<int>("add");
        var flaky = await ctx.KillSteps.Flaky.Run(value);
        return string.Create(CultureInfo.InvariantCulture, $"{number}: {value} {string.Join('+', parallel)} {first} {second} {child} {_mark} {flaky} {ctx.NewGuid():N}");
    }

    [Signal]
    public void Mark(int mark) => _mark = mark;

    private static async Task<int> Branch(WorkflowContext ctx, int value) => await ctx.KillSteps.Work.Run(await ctx.KillSteps.Work.Run(value));
}

/// <summary>A child that continues as a new run.</summary>
[Workflow]
public sealed class KilledChild
{
    public async Task<int> Run(WorkflowContext ctx, int value, int rounds)
    {
        value = await ctx.KillSteps.Work.Run(value);
        return rounds > 1 ? throw ctx.ContinueAsNew(value, rounds - 1) : value;
    }
}
