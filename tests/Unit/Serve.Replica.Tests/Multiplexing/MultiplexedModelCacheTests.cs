using Microsoft.Extensions.Time.Testing;
using Serve.Calls;
using Serve.Replica.Multiplexing;

namespace Serve.Replica.Tests.Multiplexing;

public sealed class MultiplexedModelCacheTests
{
    [Fact]
    public async Task UseAsync_NoPlaceLeft_UnloadsWhatWasUnusedForLongest()
    {
        var models = new RecordingModels(2);
        await models.Touch("a", "b", "a", "c", "a", "b");

        Assert.Equal("+a +b -b +c -c +b", models.Events);
        Assert.Equal(["a", "b"], models.Cache.Loaded);
    }

    [Fact]
    public async Task UseAsync_AllInUse_WaitsForAPlaceInOrder()
    {
        var models = new RecordingModels(2);
        var (first, second) = (RecordingModels.Request(), RecordingModels.Request());
        await models.Use("a", first);
        await models.Use("b", second);
        var c = models.Use("c", RecordingModels.Request());
        var d = models.Use("d", RecordingModels.Request());
        Assert.False(c.IsCompleted);

        second.End();
        await c;
        Assert.False(d.IsCompleted);
        first.End();
        await d;

        Assert.Equal("+a +b -b +c -a +d", models.Events);
        Assert.Equal(2, models.MostAlive);
    }

    [Fact]
    public async Task UseAsync_OneThatWasIdle_StaysWhileItIsInUseAgain()
    {
        var models = new RecordingModels(2);
        await models.Touch("a");
        var use = await models.Use("a", RecordingModels.Request());

        await models.Touch("b", "c", "d");

        Assert.Equal("+a +b -b +c -c +d", models.Events);
        Assert.Equal(CachedModelState.Loaded, use.Model.State);
    }

    [Fact]
    public async Task UseAsync_ModelIsBeingUnloaded_ItsPlaceIsFreeOnlyAfterwards()
    {
        var models = new RecordingModels(1) { HoldUnloads = new() };
        await models.Touch("a");
        var b = models.Use("b");
        await Eventually.TrueAsync(() => models.Events == "+a -a");
        Assert.False(b.IsCompleted);

        // The next use loads a new instance.
        var again = models.Use("a");
        models.HoldUnloads.SetResult();
        models.Cache.End(await b);

        Assert.Equal("model a", RecordingModels.NameOf(await again));
        Assert.Equal("+a -a +b -b +a", models.Events);
        Assert.Equal(1, models.MostAlive);
    }

    [Fact]
    public async Task UseAsync_ManyWantOneModel_OneLoad()
    {
        var models = new RecordingModels(3) { Holds = true };
        var uses = Enumerable.Range(0, 50).Select(_ => models.Use("a")).ToArray();
        await Eventually.TrueAsync(() => models.IsLoading("a"));
        models.EndLoad("a");

        Assert.All(await Task.WhenAll(uses), use => Assert.Equal("model a", RecordingModels.NameOf(use)));
        Assert.Equal("+a", models.Events);
    }

    [Fact]
    public async Task UseAsync_LoadFails_FailsAllWhoWaitAndIsNotKept()
    {
        var models = new RecordingModels(3) { Holds = true };
        var uses = Enumerable.Range(0, 5).Select(_ => models.Use("a")).ToArray();
        models.EndLoad("a", new IOException("no such file"));

        foreach (var use in uses)
            Assert.Equal("no such file", (await Assert.ThrowsAsync<IOException>(() => use)).Message);
        Assert.Empty(models.Cache.Held);
        models.Holds = false;
        Assert.Equal("model a", RecordingModels.NameOf(await models.Use("a")));
        Assert.Equal("+a !a +a", models.Events);
    }

    [Fact]
    public async Task UseAsync_LoadsThatFailOneAfterAnother_CostOneModelAtMost()
    {
        var models = new RecordingModels(3) { Fails = id => id.StartsWith('x') ? new IOException() : null };
        await models.Touch("a", "b", "c");

        for (var i = 0; i < 10; i++)
            await Assert.ThrowsAsync<IOException>(() => models.Use($"x{i}"));

        Assert.Equal(["b", "c"], models.Cache.Loaded);
        await models.Touch("a", "b", "c");
        Assert.Equal(["a", "b", "c"], models.Cache.Loaded);
    }

    [Fact]
    public async Task UseAsync_OneOfSeveralWaitersLeaves_TheLoadGoesOn()
    {
        var models = new RecordingModels(3) { Holds = true };
        using var stop = new CancellationTokenSource();
        var leaves = models.Use("a", null, stop.Token);
        var stays = models.Use("a");

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        models.EndLoad("a");

        Assert.Equal("model a", RecordingModels.NameOf(await stays));
        Assert.Equal("+a", models.Events);
    }

    [Fact]
    public async Task UseAsync_AllWaitersLeave_TheLoadIsCancelled()
    {
        var models = new RecordingModels(1) { Holds = true };
        using var stop = new CancellationTokenSource();
        using var aborted = new CancellationTokenSource();
        Task[] leaving = [models.Use("a", null, stop.Token), models.Use("a", RecordingModels.Request(aborted.Token))];

        await stop.CancelAsync();
        await aborted.CancelAsync();

        foreach (var each in leaving)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => each);
        await Eventually.TrueAsync(() => models.Events == "+a ~a", () => models.Events);
        // Its slot is free again.
        models.Holds = false;
        await models.Use("b");
    }

    [Fact]
    public async Task UseAsync_WaitersForAPlaceLeave_NothingIsLoadedForThem()
    {
        var models = new RecordingModels(1);
        var holder = RecordingModels.Request();
        await models.Use("a", holder);
        using var stop = new CancellationTokenSource();
        var waiting = models.Use("b", null, stop.Token);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        holder.End();

        Assert.Equal("+a", models.Events);
        Assert.Equal(["a"], models.Cache.Loaded);
    }

    [Fact]
    public async Task UseAsync_AbandonedLoadSucceedsAllTheSame_IsKept()
    {
        var models = new RecordingModels(1) { Holds = true, HeedsCancellation = false };
        using var stop = new CancellationTokenSource();
        var leaving = models.Use("a", null, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        models.EndLoad("a");
        await Eventually.TrueAsync(() => models.Cache.Loaded.Count == 1);

        await models.Use("a");
        Assert.Equal("+a", models.Events);
    }

    [Fact]
    public async Task UseAsync_AskedAgainWhileAnAbandonedLoadGoesOn_NeverMoreThanTheLimit()
    {
        var models = new RecordingModels(2) { Holds = true, HeedsCancellation = false };
        using var stop = new CancellationTokenSource();
        var leaving = models.Use("a", null, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        var abandoned = models.IsLoading("a");

        models.Holds = false;
        var again = await models.Use("a");
        models.EndLoad("a");

        // The surplus model is evicted, the model in use is not.
        Assert.True(abandoned);
        await Eventually.TrueAsync(() => models.Events == "+a +a -a", () => models.Events);
        Assert.Equal("model a", RecordingModels.NameOf(again));
        Assert.Equal(["a"], models.Cache.Loaded);
        Assert.InRange(models.MostAlive, 2, 2);
    }

    [Fact]
    public async Task UseAsync_OneRequestTakesAModelTwice_ItIsOneUse()
    {
        var models = new RecordingModels(1);
        var request = RecordingModels.Request();
        var first = await models.Use("a", request);
        Assert.Same(first, await models.Use("a", request));
        var other = models.Use("b");

        request.End();

        await other;
        Assert.Equal("+a -a +b", models.Events);
    }

    [Fact]
    public async Task UseAsync_RequestNeedsMoreModelsThanSlots_FailsInsteadOfDeadlock()
    {
        var models = new RecordingModels(2);
        var request = RecordingModels.Request();
        await models.Use("a", request);
        await models.Use("b", request);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => models.Use("c", request));

        Assert.Contains("all 2 model slots", error.Message, StringComparison.Ordinal);
        request.End();
        await models.Touch("c");
        Assert.Equal("+a +b -a +c", models.Events);
    }

    [Fact]
    public async Task UseAsync_RequestsInDeadlock_LastRequestFails()
    {
        var models = new RecordingModels(2);
        var (one, other) = (RecordingModels.Request(), RecordingModels.Request());
        await models.Use("a", one);
        await models.Use("b", other);
        var waits = models.Use("c", one);

        await Assert.ThrowsAsync<InvalidOperationException>(() => models.Use("d", other));
        Assert.False(waits.IsCompleted);
        other.End();

        await waits;
        Assert.Equal("+a +b -b +c", models.Events);
    }

    [Fact]
    public async Task UseAsync_ConcurrentUsesExceedSlots_FailsOnceSlotsAreFull()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        var first = models.Use("a", request);
        Task[] others = [models.Use("b", request), models.Use("c", request)];
        Assert.All(others, static other => Assert.False(other.IsCompleted));

        models.EndLoad("a");

        await first;
        foreach (var other in others)
            Assert.Contains("all 1 model slots", (await Assert.ThrowsAsync<InvalidOperationException>(() => other)).Message, StringComparison.Ordinal);
        models.Holds = false;
        request.End();
        await models.Touch("b");
        Assert.Equal("+a -a +b", models.Events);
    }

    [Fact]
    public async Task UseAsync_DeadlockAfterLoads_LastRequestFails()
    {
        var models = new RecordingModels(2) { Holds = true };
        var (one, other) = (RecordingModels.Request(), RecordingModels.Request());
        Task[] had = [models.Use("a", one), models.Use("b", other)];
        var waits = models.Use("c", one);
        var refused = models.Use("d", other);
        models.EndLoad("b");
        await had[1];
        Assert.False(refused.IsCompleted);

        models.EndLoad("a");

        await Assert.ThrowsAsync<InvalidOperationException>(() => refused);
        Assert.False(waits.IsCompleted);
        models.Holds = false;
        other.End();
        await waits;
        Assert.Equal("+a +b -b +c", models.Events);
    }

    [Fact]
    public async Task UseAsync_AwaitedLeaseReleased_StillDeadlockedRequestFails()
    {
        var models = new RecordingModels(1);
        var lease = await models.Use("a");
        var request = RecordingModels.Request();
        await models.Use("a", request);
        var waits = models.Use("b", request);
        Assert.False(waits.IsCompleted);

        models.Cache.End(lease);

        await Assert.ThrowsAsync<InvalidOperationException>(() => waits);
    }

    [Fact]
    public async Task UseAsync_OneOfTwoWhoWaitForAModelWaitsForItself_TheOtherGetsIt()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        var first = models.Use("a", request);
        var waits = models.Use("b", RecordingModels.Request());
        var refused = models.Use("b", request);

        models.EndLoad("a");

        await first;
        await Assert.ThrowsAsync<InvalidOperationException>(() => refused);
        models.Holds = false;
        request.End();
        Assert.Equal("model b", RecordingModels.NameOf(await waits));
    }

    [Fact]
    public async Task UseAsync_LaterRequestWithoutSlots_DoesNotFail()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        var first = models.Use("a", request);
        var refused = models.Use("b", request);
        var waits = models.Use("c", RecordingModels.Request());

        models.EndLoad("a");

        await first;
        await Assert.ThrowsAsync<InvalidOperationException>(() => refused);
        models.Holds = false;
        request.End();
        Assert.Equal("model c", RecordingModels.NameOf(await waits));
    }

    [Fact]
    public async Task UseAsync_RequestHasEnded_ErrorNamesAcquire()
    {
        var models = new RecordingModels(2);
        var request = RecordingModels.Request();
        request.End();

        Assert.Contains("Acquire", (await Assert.ThrowsAsync<InvalidOperationException>(() => models.Use("a", request))).Message, StringComparison.Ordinal);
        Assert.Equal("", models.Events);
    }

    [Fact]
    public async Task Limit_Lowered_IdleOnesGoAtOnceAndOthersWhenTheyAreUnused()
    {
        var models = new RecordingModels(3);
        var request = RecordingModels.Request();
        await models.Touch("a");
        await models.Use("b", request);
        await models.Touch("c");

        models.Cache.Limit = 1;
        await Eventually.TrueAsync(() => models.Events == "+a +b +c -a -c", () => models.Events);
        await models.Touch("b");
        Assert.Equal(["b"], models.Cache.Loaded);
        var next = models.Use("d");
        Assert.False(next.IsCompleted);
        request.End();
        await next;
        Assert.Equal("+a +b +c -a -c -b +d", models.Events);
    }

    [Fact]
    public async Task Limit_Raised_ThoseThatWaitAreLoaded()
    {
        var models = new RecordingModels(1);
        await models.Use("a");
        var waiting = models.Use("b");
        Assert.False(waiting.IsCompleted);

        models.Cache.Limit = -1;

        await waiting;
        for (var i = 0; i < 100; i++)
            await models.Touch($"m{i}");
        Assert.Equal(102, models.Cache.Loaded.Count);
    }

    [Fact]
    public async Task DisposeAsync_UnloadsAllAndWaitsForIt()
    {
        var models = new RecordingModels(3) { HoldUnloads = new() };
        await models.Touch("a");
        await models.Use("b", RecordingModels.Request());

        var disposal = models.Cache.DisposeAsync().AsTask();
        await Eventually.TrueAsync(() => models.Events == "+a +b -a -b", () => models.Events);
        Assert.False(disposal.IsCompleted);
        models.HoldUnloads.SetResult();

        await disposal.WaitAsync(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => models.Use("a"));
    }

    [Fact]
    public async Task DisposeAsync_LoadsAreGoingOn_AreCancelledAndThoseThatWaitFail()
    {
        var models = new RecordingModels(1) { Holds = true };
        var loading = models.Use("a");
        var waiting = models.Use("b");

        await models.Cache.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loading);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.Equal("+a ~a", models.Events);
    }

    [Fact]
    public async Task Unload_Throws_CountsAsUnloaded()
    {
        var models = new RecordingModels(1) { UnloadThrows = new IOException("busy") };
        await models.Touch("a", "b");

        Assert.Equal("+a -a xa +b", models.Events);
    }

    [Fact]
    public async Task Held_TellsWhatIsThereAndWhatIsComing()
    {
        var models = new RecordingModels(2);
        await models.Touch("a");
        models.Holds = true;
        var request = RecordingModels.Request();
        _ = models.Use("b", request);
        _ = models.Use("b");
        var before = models.Changes;

        Assert.Equal([("a", true), ("b", false)], models.Cache.Held.Select(held => (held.Id, held.Loaded)).Order());
        models.EndLoad("b");
        await Eventually.TrueAsync(() => models.Cache.Held.All(held => held.Loaded));
        Assert.True(models.Changes > before);
        Assert.Equal(0, models.Cache.Held.Single(held => held.Id == "b").IdleMs);
    }

    [Fact]
    public async Task UseAsync_LoadsAndUnloads_RunWithoutRequestContext()
    {
        var models = new RecordingModels(1);
        RequestContext.Current = RecordingModels.Request();

        await models.Touch("a", "b");

        Assert.Equal("+a -a +b", models.Events);
        Assert.False(models.SawRequest);
    }

    [Fact]
    public async Task UseAsync_RequestEndsWhileItsModelLoads_Fails()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        var waits = models.Use("a", request);
        var other = models.Use("a");

        request.End();
        models.EndLoad("a");

        await other;
        Assert.Contains("The request has ended", (await Assert.ThrowsAsync<InvalidOperationException>(() => waits)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UseAsync_OneRequestWaitsTwiceAndGivesUpOnce_HasIt()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        using var stop = new CancellationTokenSource();
        var leaves = models.Use("a", request, stop.Token);
        var stays = models.Use("a", request);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        models.EndLoad("a");

        Assert.False((await stays).HasEnded);
    }

    [Fact]
    public async Task UseAsync_AfterAUseThatWasGivenUp_IsAnother()
    {
        var models = new RecordingModels(1) { Holds = true };
        var request = RecordingModels.Request();
        using var stop = new CancellationTokenSource();
        var leaves = models.Use("a", request, stop.Token);
        var other = models.Use("a");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        models.EndLoad("a");
        await other;

        Assert.False((await models.Use("a", request)).HasEnded);
    }

    [Fact]
    public async Task UseAsync_AllPlacesTakenButOneIsIdle_TakesItsPlace()
    {
        var models = new RecordingModels(2);
        var request = RecordingModels.Request();
        await models.Touch("a");
        await models.Use("b", request);

        await models.Use("c", request);

        Assert.Equal("+a +b -a +c", models.Events);
    }

    [Fact]
    public async Task UseAsync_APlaceIsHeldByALoadThatWasGivenUp_WaitsForItsEnd()
    {
        var models = new RecordingModels(2) { Holds = true, HeedsCancellation = false };
        using var stop = new CancellationTokenSource();
        var leaving = models.Use("x", null, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        models.Holds = false;
        var request = RecordingModels.Request();
        await models.Use("b", request);

        var waits = models.Use("c", request);
        Assert.False(waits.IsCompleted);
        models.EndLoad("x");

        await waits;
        await Eventually.TrueAsync(() => models.Events == "+x +b -x +c", () => models.Events);
    }

    [Fact]
    public async Task UseAsync_OneIsBeingUnloadedForIt_NoMoreGoForIt()
    {
        var models = new RecordingModels(2) { HoldUnloads = new(TaskCreationOptions.RunContinuationsAsynchronously) };
        await models.Touch("a", "b");
        var waits = models.Use("c");
        Assert.Equal("+a +b -a", models.Events);

        await models.Touch("b");

        Assert.Equal("+a +b -a", models.Events);
        models.HoldUnloads.SetResult();
        await waits;
        Assert.Equal(["b", "c"], models.Cache.Loaded.Order());
    }

    [Fact]
    public async Task Held_IdleTime_CountsFromLastUse()
    {
        var time = new FakeTimeProvider();
        var models = new RecordingModels(2, time) { HeedsCancellation = false };
        await models.Touch("a");
        models.Holds = true;
        using var stop = new CancellationTokenSource();
        var leaves = models.Use("b", null, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        time.Advance(TimeSpan.FromSeconds(2));
        models.EndLoad("b");
        await Eventually.TrueAsync(() => models.Cache.Loaded.Count == 2);
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal([("a", 5000), ("b", 3000)], models.Cache.Held.Select(held => (held.Id, held.IdleMs)).Order());
    }

    [Fact]
    public void Limit_Changed_IsAChangeForRouters()
    {
        var models = new RecordingModels(2);

        models.Cache.Limit = 3;

        Assert.Equal(1, models.Changes);
    }

    [Fact]
    public async Task DisposeAsync_NothingLoaded_IsDone() => await new RecordingModels(2).Cache.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    [Fact]
    public async Task DisposeAsync_LoadCompletesAnyway_ModelIsUnloadedDespiteWaiters()
    {
        var models = new RecordingModels(1) { Holds = true, HeedsCancellation = false };
        _ = models.Use("a");
        var disposal = models.Cache.DisposeAsync().AsTask();

        models.EndLoad("a");

        await disposal.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("+a -a", models.Events);
    }

    [Fact]
    public async Task UseAsync_ManyAtOnce_NeverMoreThanTheLimitAndNeverUnloadedInUse()
    {
        var models = new RecordingModels(3);
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, stop) =>
        {
            var request = RecordingModels.Request(stop);
            var use = await models.Cache.UseAsync($"m{i * 7919 % 11}", request, stop);
            await Task.Yield();
            Assert.Equal(CachedModelState.Loaded, use.Model.State);
            request.End();
        });

        Assert.InRange(models.MostAlive, 1, 3);
    }
}
