using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>What of the base library is read to see whether a task can complete before another one. On a runtime where it has gone, nothing is seen.</summary>
public sealed class ContinuationsTests
{
    private readonly TaskCompletionSource<int> _source = new();

    [Fact]
    public void ThisRuntime_KeepsTheField() =>
        Assert.NotNull(typeof(Task).GetField("m_continuationObject", BindingFlags.Instance | BindingFlags.NonPublic));

    [Fact]
    public void Lead_ThroughWhateverWaitsForAll_IsSeen()
    {
        var direct = Direct();
        Assert.True(Continuations.Lead(_source.Task, _source.Task));
        Assert.True(Continuations.Lead(_source.Task, direct));
        Assert.True(Continuations.Lead(_source.Task, Outer(direct)));
        Assert.True(Continuations.Lead(_source.Task, Task.WhenAll(direct, Task.Delay(Timeout.Infinite))));
        Assert.True(Continuations.Lead(_source.Task, Task.WhenAll((Task)direct, _source.Task)));
        Assert.True(Continuations.Lead(_source.Task, Task.WhenAll(direct, new TaskCompletionSource<int>().Task)));
        Assert.True(Continuations.Lead(_source.Task, AsValueTask().AsTask()));
        var late = new TaskCompletionSource<Task<int>>();
        var unwrapped = late.Task.Unwrap();
        late.SetResult(direct);
        Assert.True(Continuations.Lead(_source.Task, unwrapped));
    }

    [Fact]
    public void Lead_ThroughAContextOrAScheduler_IsSeen()
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new Context());
        var inContext = Direct();
        SynchronizationContext.SetSynchronizationContext(before);

        Assert.True(Continuations.Lead(_source.Task, inContext));
    }

    [Fact]
    public void Lead_WhatNeedNotWaitForIt_IsNotSeen()
    {
        var other = new TaskCompletionSource<int>();
        var direct = Direct();

        Assert.False(Continuations.Lead(_source.Task, other.Task));
        Assert.False(Continuations.Lead(_source.Task, Task.WhenAny(direct, other.Task)));
        Assert.False(Continuations.Lead(_source.Task, Task.WhenAny(direct, other.Task, Task.Delay(Timeout.Infinite))));
        Assert.False(Continuations.Lead(_source.Task, Task.WhenAny(direct, other.Task).Unwrap()));
        Assert.False(Continuations.Lead(_source.Task, Outer(Task.WhenAny(direct, other.Task))));
        Assert.False(Continuations.Lead(_source.Task, direct.WaitAsync(TimeSpan.FromHours(1))));
        Assert.False(Continuations.Lead(_source.Task, direct.ContinueWith(static _ => 1, TaskScheduler.Default)));
        Assert.False(Continuations.Lead(_source.Task, Leaves(other.Task)));
        Assert.False(Continuations.Lead(other.Task, direct));

        async Task Leaves(Task main)
        {
            _ = Direct();
            await main;
        }
    }

    [Fact]
    public void Lead_FromWhatIsThere_IsNotSeen()
    {
        _source.SetResult(1);

        Assert.False(Continuations.Lead(_source.Task, Outer(new TaskCompletionSource().Task)));
    }

    [Fact]
    public void Lead_ToOneThatHasManyThatWaitForIt_IsSeen()
    {
        var others = Enumerable.Range(0, 3).Select(_ => Direct()).ToArray();
        var direct = Direct();
        others = [.. others, Direct()];

        Assert.True(Continuations.Lead(_source.Task, direct));
        GC.KeepAlive(others);
    }

    private async Task<int> Direct() => await _source.Task;

    private async ValueTask<int> AsValueTask() => await _source.Task;

    private static async Task Outer(Task inner) => await inner;

    private sealed class Context : SynchronizationContext;
}
