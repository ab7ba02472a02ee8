using System.Diagnostics;
using Serve;

/// <summary>Result of a measurement of handle calls.</summary>
public sealed record Figures(double MicrosecondsPerCall, double BytesPerCall, int Calls, int LastCount);

/// <summary>Measures sequential handle calls of a deployment.</summary>
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
        // Allocated bytes are counted per thread; a call to another process continues on another thread.
        var sameThread = thread == Environment.CurrentManagedThreadId;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        return new(elapsed.TotalMicroseconds / calls, sameThread ? (double)bytes / calls : -1, calls, last);
    }
}

/// <summary>The result of one call.</summary>
public sealed record CountReply(int Count);

/// <summary>The called deployment: a turn-based counter.</summary>
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
