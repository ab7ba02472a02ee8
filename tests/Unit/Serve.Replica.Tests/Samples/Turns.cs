using Microsoft.AspNetCore.Mvc;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Turns(string key)
{
    private int _count;
    private int _inside;

    [HttpGet("/count")]
    public async Task<int> Count()
    {
        // Not atomic on purpose: without turns, updates are lost.
        for (var i = 0; i < 10; i++)
        {
            var seen = _count;
            Thread.SpinWait(100);
            _count = seen + 1;
            await Task.Yield();
        }

        return _count;
    }

    [HttpGet("/first")]
    public async Task<string> First()
    {
        TestSignals.Set($"{key}-first-inside");
        await TestSignals.WaitAsync($"{key}-second-done");
        return "first";
    }

    [HttpGet("/second")]
    public string Second()
    {
        TestSignals.Set($"{key}-second-done");
        return "second";
    }

    [HttpPost("/body")]
    public int Body(Numbers numbers)
    {
        var alone = Interlocked.Increment(ref _inside) == 1;
        Thread.SpinWait(500);
        Interlocked.Decrement(ref _inside);
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
        TestSignals.Set($"{key}-here-{number}");
        return TestSignals.Of($"{key}-here-{1 - number}").Task.Wait(TimeSpan.FromSeconds(10));
    }

    [HttpGet("/wait")]
    public async Task<string> Wait(CancellationToken stop)
    {
        TestSignals.Set($"{key}-waiting");
        try
        {
            await TestSignals.Of($"{key}-go").Task.WaitAsync(stop);
            return "done";
        }
        catch (OperationCanceledException)
        {
            TestSignals.Set($"{key}-cancelled");
            throw;
        }
    }
}
