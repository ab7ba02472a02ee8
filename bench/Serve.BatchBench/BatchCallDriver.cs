using System.Diagnostics;

namespace Serve.BatchBench;

/// <summary>Calls the model through its typed handle in the same process and returns the cost.</summary>
[Deployment]
public sealed class BatchCallDriver(DeploymentHandle<BatchedModel> model)
{
    /// <summary>Sequential calls of one caller.</summary>
    public async Task<MeasuredCallCost> One(bool gathered, int calls)
    {
        var bytes = GC.GetTotalAllocatedBytes();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
            await (gathered ? model.Gathered.Remote(i) : model.Plain.Remote(i));
        return new(Stopwatch.GetElapsedTime(began).TotalSeconds / calls, (GC.GetTotalAllocatedBytes() - bytes) / (double)calls);
    }

    /// <summary>Concurrent callers with sequential calls each.</summary>
    public async Task<MeasuredCallCost> Many(string method, int callers, int calls)
    {
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < calls; i++)
            {
                await (method switch
                {
                    nameof(BatchedModel.SlowPlain) => model.SlowPlain.Remote(i),
                    nameof(BatchedModel.SlowNoWait) => model.SlowNoWait.Remote(i),
                    nameof(BatchedModel.SlowFixed) => model.SlowFixed.Remote(i),
                    _ => model.SlowAdaptive.Remote(i),
                });
            }
        })));
        return new(Stopwatch.GetElapsedTime(began).TotalSeconds / (callers * calls), 0);
    }
}

/// <summary>Cost of a call.</summary>
/// <param name="Seconds">Duration in seconds.</param>
/// <param name="Bytes">Allocated bytes.</param>
public sealed record MeasuredCallCost(double Seconds, double Bytes);
