using System.Diagnostics;
using Serve;

/// <summary>What one measurement of handle calls found.</summary>
public sealed record Figures(double MicrosecondsPerCall, double BytesPerCall, int Calls, int LastCount);

/// <summary>Times handle calls from inside the platform, where a user's composition makes them: one after the other.</summary>
[Deployment]
public sealed class Caller(DeploymentHandle<Callee> callee)
{
    public async Task<Figures> Call([FromQuery] int calls)
    {
        var last = 0;
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var thread = Environment.CurrentManagedThreadId;
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
            last = (await callee.Increment.Remote(1)).Count;
        var elapsed = Stopwatch.GetElapsedTime(started);
        // Bytes are counted per thread: across a process the continuation moves, and the figure would mean nothing.
        var sameThread = thread == Environment.CurrentManagedThreadId;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        return new(elapsed.TotalMicroseconds / calls, sameThread ? (double)bytes / calls : -1, calls, last);
    }
}

/// <summary>The result of one call.</summary>
public sealed record CountReply(int Count);

/// <summary>What is called: a turn-based counter.</summary>
[Deployment]
public sealed class Callee
{
    private readonly CountReply[] replies = [.. Enumerable.Range(0, 1024).Select(i => new CountReply(i))];
    private int count;

    public CountReply Increment(int by)
    {
        count += by;
        return replies[count & 1023];
    }
}
