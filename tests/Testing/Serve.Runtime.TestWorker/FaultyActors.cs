namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose attribute lists the exceptions on which calls are retried.</summary>
[Remote(MaxTaskRetries = 2, RetryOn = [typeof(TimeoutException)])]
public sealed class FlakyActor
{
    private int _calls;

    /// <summary>Throws a given number of times, then returns the number of calls.</summary>
    public int TimeOut(int failures) => ++_calls <= failures ? throw new TimeoutException($"Call {_calls}.") : _calls;

    /// <summary>A stream that throws in the middle at the first attempt.</summary>
    public async IAsyncEnumerable<int> Up(int to)
    {
        var isFirst = _calls++ == 0;
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
        _calls++;
        throw new InvalidOperationException("not this one");
    }
}

/// <summary>An actor whose constructor terminates its process at the first attempt, which creates a file.</summary>
[Remote]
public sealed class FragileActor
{
    public FragileActor(string file)
    {
        if (File.Exists(file))
            return;
        File.WriteAllText(file, "");
        Environment.Exit(7);
    }

    public int Pid() => Environment.ProcessId;
}

/// <summary>An actor whose constructor throws.</summary>
[Remote]
public sealed class FailingActor
{
    public FailingActor(string message) => throw new InvalidOperationException(message);

    public int One() => 1;
}

/// <summary>An actor that creates a file when it is disposed.</summary>
[Remote]
public sealed class FileActor(string disposed) : IDisposable
{
    public int Pid() => Environment.ProcessId;

    /// <summary>Waits for its own task.</summary>
    public async Task<int> StartWait(string file) => await Cluster.Current.Jobs.Wait.Remote(file);

    public void Dispose() => File.WriteAllText(disposed, "");
}

/// <summary>An actor with a large array as its constructor argument.</summary>
[Remote]
public sealed class ArrayActor(double[] values)
{
    public int Length(double[] more) => values.Length + more.Length;
}
