using System.Diagnostics;
using System.Runtime.CompilerServices;
using Serve.Calls;
using Serve.Nodes;

namespace Serve.Runtime.TestWorker;

/// <summary>An actor with the behaviours that runtime tests need.</summary>
public sealed class TestActor(ActorActivationContext context, TestTopicSubscriber topics, IActorReferenceResolver directory)
{
    private readonly List<Process> _children = [];
    private int _count;

    internal bool Sick { get; private set; }

    internal string Settings { get; set; } = "";

    public int Increment() => ++_count;

    public T[]? Never<T>() => null;

    public string Echo(string text) => text;

    public int Size(byte[] bytes) => bytes.Length;

    public byte[] Bytes(byte[] bytes) => bytes;

    public void Nothing()
    {
    }

    public int Fail() => throw new InvalidOperationException("failed as asked");

    public string Where() => context.ProcessId;

    public int Pid() => Environment.ProcessId;

    public string? RequestId() => RequestContext.Current?.Call.RequestId;

    public string? Topic() => topics.Newest;

    public string Configured() => Settings;

    public int[] Gpus() => [.. context.GpuIds];

    public void FallIll() => Sick = true;

    public async Task<bool> Forever(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return true;
    }

    public async Task<int> Wait(int milliseconds)
    {
        await Task.Delay(milliseconds);
        return milliseconds;
    }

    [Blocking]
    public bool Block(int milliseconds)
    {
        using var never = new ManualResetEventSlim();
        never.Wait(milliseconds);
        return !Thread.CurrentThread.IsThreadPoolThread;
    }

    public async IAsyncEnumerable<int> Count(int to, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _count = 0;
        try
        {
            for (var i = 0; i < to; i++)
            {
                await Task.Delay(1, cancellationToken);
                yield return i;
            }
        }
        finally
        {
            _count = -1;
        }
    }

    public async IAsyncEnumerable<int> FailAfter(int items)
    {
        for (var i = 0; i < items; i++)
        {
            await Task.Yield();
            yield return i;
        }

        throw new InvalidOperationException("the stream broke");
    }

    public int State() => _count;

    /// <summary>Number of ongoing calls, including this one.</summary>
    public int Ongoing() => context.Gate.Ongoing;

    public int Spawn()
    {
        // In a session and a process group of its own.
        var child = Process.Start(new ProcessStartInfo("setsid", "sleep 300"))!;
        _children.Add(child);
        return child.Id;
    }

    public void Crash() => Environment.FailFast("crashed as asked");

    public int Overflow() => 1 + Overflow();

    public void Write(string line) => Console.WriteLine(line);

    public Task<int> IncrementOther(string id, HostProcessAddress process) =>
        directory.Resolve(new(id), process).InvokeAsync(new NamedMethodCall<int>(nameof(Increment)), CallContext.None, CancellationToken.None).AsTask();
}
