namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose attribute says which exceptions its calls are sent again on.</summary>
[Remote(MaxTaskRetries = 2, RetryOn = [typeof(TimeoutException)])]
public sealed class FlakyActor
{
    private int calls;

    /// <summary>Throws as often as said, then tells how often it was called.</summary>
    public int TimeOut(int failures) => ++calls <= failures ? throw new TimeoutException($"Call {calls}.") : calls;

    /// <summary>Counts up, and throws on the way the first time.</summary>
    public async IAsyncEnumerable<int> Up(int to)
    {
        var isFirst = calls++ == 0;
        for (var i = 0; i < to; i++)
        {
            await Task.Yield();
            if (isFirst && i == to / 2)
                throw new TimeoutException("On the way.");
            yield return i;
        }
    }

    public int Throw()
    {
        calls++;
        throw new InvalidOperationException("not this one");
    }
}
