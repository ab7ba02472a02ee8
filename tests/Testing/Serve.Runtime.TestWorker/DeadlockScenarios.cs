using System.Collections.Immutable;

namespace Serve.Runtime.TestWorker;

/// <summary>Functions that wait for objects in all supported ways.</summary>
public static partial class DeadlockScenarios
{
    /// <summary>Waits for the references received from a queue.</summary>
    [Remote]
    public static async Task<int> Await(Cluster ray, ActorQueue<ObjectRef<int>[]> queue, string how)
    {
        var refs = await queue.Get();
        return how switch
        {
            "one" => await refs[0],
            "helper" => await HelpAsync(refs[0]),
            "many" => (await ray.Get(refs)).Sum(),
            "all of them" => (await ray.Get((await ray.Wait(refs, refs.Length)).Ready)).Sum(),
            "two of them" => (await ray.Get((await ray.Wait(refs, 2)).Ready)).Sum(),
            "one of them" => await (await ray.Wait(refs[..2])).Ready[0],
            "two of three" => await TwoWithTheLast(ray, refs),
            "as a task" => await refs[0].AsTask(),
            "all tasks" => (await Task.WhenAll(refs.Select(reference => reference.AsTask()))).Sum(),
            "any task" => await await Task.WhenAny(refs[..2].Select(reference => reference.AsTask())),
            "for a moment" => await ForAMoment(ray, refs[0]),
            "until cancelled" => await UntilCancelled(ray, refs[0]),
            _ => throw new ArgumentOutOfRangeException(nameof(how), how, "There is no such way."),
        };
    }

    /// <summary>Blocks until the reference received from a queue is ready.</summary>
    [Remote]
    public static int Block(ActorQueue<ObjectRef<int>[]> queue) => queue.Get().GetAwaiter().GetResult()[0].GetResult();

    /// <summary>Completes when a queue has an item.</summary>
    [Remote]
    public static async Task<int> Later(ActorQueue<int> queue) => await queue.Get();

    /// <summary>Fails when a queue has an item.</summary>
    [Remote]
    public static async Task<int> Fail(ActorQueue<int> queue) => throw new InvalidOperationException($"Failed as requested with {await queue.Get()}.");

    /// <summary>Waits for an actor that requires the resource held by this task.</summary>
    [Remote]
    public static int HoldForActor(Cluster ray, string resource) =>
        ray.Ring.Options(new() { Resources = new Dictionary<string, double> { [resource] = 1 }.ToImmutableDictionary() }).Remote().One.Remote().GetResult();

    /// <summary>Blocks with a short timeout for the reference received from a queue.</summary>
    [Remote]
    public static int BlockForAMoment(ActorQueue<ObjectRef<int>[]> queue)
    {
        try
        {
            return queue.Get().GetAwaiter().GetResult()[0].GetResult(TimeSpan.FromMilliseconds(600));
        }
        catch (TimeoutException)
        {
            return 7;
        }
    }

    /// <summary>A stream that waits for an item of a queue, or for its reader only.</summary>
    [Remote]
    public static async IAsyncEnumerable<int> Numbers(Cluster ray, int to, ActorQueue<int>? queue)
    {
        for (var i = 0; i < to; i++)
        {
            if (i == 5 && queue is not null)
                await ray.DeadlockScenarios.Later.Remote(queue);
            yield return i;
        }
    }

    /// <summary>Sums a stream, and waits for an item of a queue after the first item unless the stream does.</summary>
    [Remote]
    public static async Task<int> Read(Cluster ray, bool waits, ActorQueue<int> queue)
    {
        var sum = 0;
        await foreach (var item in ray.DeadlockScenarios.Numbers.Options(new() { MaxBufferedItems = 1 }).Remote(10, waits ? null : queue))
        {
            sum += await item;
            if (waits && sum == 0)
                await ray.DeadlockScenarios.Later.Remote(queue);
        }

        return sum;
    }

    [Remote]
    public static int One() => 1;

    [Remote]
    public static int Sum(int left, int right) => left + right;

    /// <summary>Waits for a task that requires the resource held by this task.</summary>
    [Remote]
    public static int Hold(Cluster ray, string resource) =>
        ray.DeadlockScenarios.One.Options(new() { Name = "the one inside", NumCpus = 0, Resources = new Dictionary<string, double> { [resource] = 1 }.ToImmutableDictionary() }).Remote().GetResult();

    /// <summary>Waits for a placement group that requires the resource held by this task.</summary>
    [Remote]
    public static async Task<int> HoldForGroup(Cluster ray, string how, Bundle bundle, ActorQueue<int>? queue = null)
    {
        await using var group = ray.CreatePlacementGroup([bundle], name: "the group");
        switch (how)
        {
            case "ready":
                await group.Ready;
                break;
            case "all":
                await Task.WhenAll(group.Ready, Task.CompletedTask);
                break;
            case "any":
                await Task.WhenAny(group.Ready, queue!.Get());
                break;
            case "ask":
                for (var i = 0; i < 100; i++)
                    _ = group.Ready.IsCompleted;
                await queue!.Get();
                return group.Ready.IsFaulted ? 8 : 7;
            case "task inside":
                await ray.DeadlockScenarios.One.Options(new() { Name = "the one inside", NumCpus = 0, Scheduling = group.Bundle(0) }).Remote();
                break;
            case "actor inside":
                await ray.Ring.Options(new() { Scheduling = group.Bundle(0) }).Remote().One.Remote();
                break;
        }

        return 7;
    }

    /// <summary>Waits for a placement group of another task.</summary>
    [Remote]
    public static async Task<int> AwaitGroup(Cluster ray, PlacementGroup group) =>
        await ray.DeadlockScenarios.One.Options(new() { NumCpus = 0, Scheduling = group.Bundle(0) }).Remote();

    /// <summary>Waits repeatedly for an actor that requires the CPU which this task releases while it waits.</summary>
    [Remote]
    public static async Task<int> LendToActor(Cluster ray, double cpus)
    {
        var actor = ray.Ring.Options(new() { NumCpus = cpus }).Remote();
        var three = await actor.One.Remote() + await actor.One.Remote() + await ray.DeadlockScenarios.One.Options(new() { NumCpus = 0.5 }).Remote();
        actor.Kill();
        return three;
    }

    /// <summary>Waits for a completion source that the detector cannot observe.</summary>
    internal static Task<int> Unseen(ActorQueue<int> queue)
    {
        using (ExecutionContext.SuppressFlow())
            return Task.Run(async () => await queue.Get());
    }

    private static async Task<int> HelpAsync(ObjectRef<int> reference)
    {
        await Task.Yield();
        return await reference;
    }

    private static async Task<int> TwoWithTheLast(Cluster ray, ObjectRef<int>[] refs)
    {
        await refs[^1];
        return (await ray.Wait(refs, 2)).Ready.Count;
    }

    private static async Task<int> ForAMoment(Cluster ray, ObjectRef<int> reference)
    {
        try
        {
            return await ray.Get(reference, TimeSpan.FromMinutes(5));
        }
        catch (TimeoutException)
        {
            return 7;
        }
    }

    private static async Task<int> UntilCancelled(Cluster ray, ObjectRef<int> reference)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            return await ray.Get(reference, cancellationToken: soon.Token);
        }
        catch (OperationCanceledException)
        {
            return 7;
        }
    }
}

/// <summary>An actor whose calls wait for calls of other actors or of itself.</summary>
[Remote]
public sealed class Ring
{
    public int Block(ActorHandle<Ring>[] path) => path.Length == 0 ? 1 : 1 + path[0].Block.Remote(path[1..]).GetResult();

    public async Task<int> Await(ActorHandle<Ring>[] path) => path.Length == 0 ? 1 : 1 + await path[0].Await.Remote(path[1..]);

    public async Task<int> AwaitAll(ActorHandle<Ring>[] path) =>
        path.Length == 0 ? 1 : 1 + (await Cluster.Current.Get([path[0].AwaitAll.Remote(path[1..]), path[0].AwaitAll.Remote([])])).Max();

    [ConcurrencyGroup("other")]
    public int Other() => 1;

    [ConcurrencyGroup("other")]
    public async Task<int> AwaitOther(ActorHandle<Ring> self) => await self.Other.Remote();

    [ConcurrencyGroup("other")]
    public async Task<int> LeaveOther(ActorQueue<int> queue) => await DeadlockScenarios.Unseen(queue).ConfigureAwait(false);

    public int BlockOnOne(ActorHandle<Ring> self) => self.One.Remote().GetResult();

    public int BlockForOther(ActorHandle<Ring> self) => self.Other.Remote().GetResult();

    /// <summary>Waits for a task that requires the resource held by this actor.</summary>
    public int Hold(string resource) => Cluster.Current.DeadlockScenarios.Hold.Options(new() { NumCpus = 0, Resources = new Dictionary<string, double> { [resource] = 1 }.ToImmutableDictionary() }).Remote(resource).GetResult();

    /// <summary>Waits for a placement group that requires the resource held by this actor.</summary>
    public async Task<int> HoldForGroup(Bundle bundle)
    {
        await using var group = Cluster.Current.CreatePlacementGroup([bundle]);
        return await Cluster.Current.DeadlockScenarios.One.Options(new() { NumCpus = 0, Scheduling = group.Bundle(0) }).Remote();
    }

    public async Task<int> AwaitFor(ActorHandle<Ring>[] path, ActorQueue<int> queue) => path.Length == 0 ? await queue.Get() : await path[0].Await.Remote([]);

    /// <summary>Completes without another turn when a queue has an item.</summary>
    public async Task<int> Leave(ActorQueue<int> queue) => await DeadlockScenarios.Unseen(queue).ConfigureAwait(false);

    /// <summary>Like the previous method, but starts code that blocks the actor.</summary>
    public async Task<int> LeaveBlocked(ActorQueue<int> queue, ActorQueue<ObjectRef<int>[]> others)
    {
        _ = BlockLater(others);
        return await DeadlockScenarios.Unseen(queue).ConfigureAwait(false);

        static async Task BlockLater(ActorQueue<ObjectRef<int>[]> others)
        {
            // Not in the first turn of the call, even if the queue already has an item.
            await Task.Yield();
            (await others.Get())[0].GetResult();
        }
    }

    /// <summary>Blocks a later turn for a call that is queued behind it.</summary>
    public async Task<int> BlockLaterForOne(ActorQueue<int> queue, ActorHandle<Ring> self)
    {
        await queue.Get();
        return self.One.Remote().GetResult();
    }

    /// <summary>Blocks until a reference is ready.</summary>
    public int BlockOn(ObjectRef<int>[] refs) => refs[0].GetResult();

    public int One() => 1;

    public int Same(int value) => value;

    /// <summary>Starts code that waits for another object.</summary>
    public async Task<int> LeaveBehind(object argument, TaskCompletionSource until)
    {
        _ = WaitAsync(until.Task);
        await Task.Yield();
        return argument.GetHashCode();

        static async Task WaitAsync(Task until) => await until;
    }
}

/// <summary>An actor with a constructor argument.</summary>
[Remote]
public sealed class Made(int from)
{
    public int From() => from;
}
