using Microsoft.AspNetCore.Mvc;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Turns(string key)
{
    private int count;
    private int inside;

    [HttpGet("/count")]
    public async Task<int> Count()
    {
        // Not atomic on purpose: without turns, updates are lost.
        for (var i = 0; i < 10; i++)
        {
            var seen = count;
            Thread.SpinWait(100);
            count = seen + 1;
            await Task.Yield();
        }

        return count;
    }

    [HttpGet("/first")]
    public async Task<string> First()
    {
        Signals.Set($"{key}-first-inside");
        await Signals.WaitAsync($"{key}-second-done");
        return "first";
    }

    [HttpGet("/second")]
    public string Second()
    {
        Signals.Set($"{key}-second-done");
        return "second";
    }

    [HttpPost("/body")]
    public int Body(Numbers numbers)
    {
        var alone = Interlocked.Increment(ref inside) == 1;
        Thread.SpinWait(500);
        Interlocked.Decrement(ref inside);
        return alone ? numbers.Values.Length : -1;
    }

    [Blocking, HttpGet("/blocking")]
    public async Task<bool[]> Block()
    {
        var before = Thread.CurrentThread.IsThreadPoolThread;
        await Task.Yield();
        return [before, Thread.CurrentThread.IsThreadPoolThread];
    }

    [HttpGet("/plain")]
    public bool Plain() => Thread.CurrentThread.IsThreadPoolThread;

    [HttpGet("/rendezvous")]
    public bool Rendezvous([FromQuery] int number)
    {
        Signals.Set($"{key}-here-{number}");
        return Signals.Of($"{key}-here-{1 - number}").Task.Wait(TimeSpan.FromSeconds(10));
    }

    [HttpGet("/wait")]
    public async Task<string> Wait(CancellationToken stop)
    {
        Signals.Set($"{key}-waiting");
        try
        {
            await Signals.Of($"{key}-go").Task.WaitAsync(stop);
            return "done";
        }
        catch (OperationCanceledException)
        {
            Signals.Set($"{key}-cancelled");
            throw;
        }
    }
}
