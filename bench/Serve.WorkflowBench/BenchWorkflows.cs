using Serve.Workflows;

namespace Serve.WorkflowBench;

/// <summary>The steps of the benchmark.</summary>
public static class BenchSteps
{
    [Step]
    public static int Next(int x) => x + 1;
}

/// <summary>Steps one after the other.</summary>
[Workflow]
public sealed class BenchChain
{
    public async Task<int> Run(WorkflowContext ctx, int steps)
    {
        var x = 0;
        for (var i = 0; i < steps; i++)
            x = await ctx.BenchSteps.Next.Run(x);
        return x;
    }
}

/// <summary>A step, an event and a step.</summary>
[Workflow]
public sealed class BenchWaiter
{
    public async Task<int> Run(WorkflowContext ctx, int x)
    {
        x = await ctx.BenchSteps.Next.Run(x);
        x += await ctx.WaitForEvent<int>("go");
        return await ctx.BenchSteps.Next.Run(x);
    }
}
