using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.TestWorker;

/// <summary>Functions that use actors, streams, placement groups and queues. Tests run them in this process and in workers.</summary>
public static partial class ActorJobs
{
    private static readonly List<object> Kept = [];

    [Remote]
    public static async Task<bool> CallInOrder(Cluster ray, int calls, Isolation isolation)
    {
        var actor = ray.CountActor.Options(new() { Isolation = isolation }).Remote(ray.Put(10));
        var seen = await ray.Get(Enumerable.Range(0, calls).Select(_ => actor.Increment.Remote(1)).ToArray());
        return seen.SequenceEqual(Enumerable.Range(11, calls));
    }

    /// <summary>A call with a late argument delays the calls after it.</summary>
    [Remote]
    public static async Task<string> CallInOrderWithRefs(Cluster ray)
    {
        var actor = ray.CountActor.Remote(0);
        var first = actor.Increment.Remote(ray.ActorJobs.Late.Remote(5));
        var second = actor.Increment.Remote(1);
        return $"{await first} {await second}";
    }

    [Remote]
    public static async Task<int> Late(int value)
    {
        await Task.Delay(100);
        return value;
    }

    [Remote]
    public static int Use(ActorHandle<CountActor> actor, int by) => actor.Increment.Remote(by).GetResult();

    [Remote]
    public static async Task<int> UseAll(Team team)
    {
        var sum = await team.First.Increment.Remote(1);
        foreach (var (name, actor) in team.Others)
            sum += name.Length + await actor.Increment.Remote(1);
        return sum;
    }

    [Remote]
    public static async Task<string> PassOn(Cluster ray)
    {
        var actor = ray.CountActor.Remote(0);
        var here = await ray.ActorJobs.Use.Options(new() { Isolation = Isolation.None }).Remote(actor, 1);
        var there = await ray.ActorJobs.Use.Options(new() { Isolation = Isolation.Process }).Remote(actor, 10);
        var put = await ray.ActorJobs.Use.Remote(ray.Put(actor), 100);
        var inside = await ray.ActorJobs.UseAll.Remote(new Team(actor, new() { ["one"] = actor, ["three"] = ray.CountActor.Remote(7) }));
        return $"{here} {there} {put} {inside} {actor.Name ?? "no name"}";
    }

    [Remote]
    public static ActorHandle<CountActor> Make(Cluster ray, int start) => ray.CountActor.Remote(start);

    [Remote]
    public static async Task<string> MakeInside(Cluster ray)
    {
        var made = await ray.ActorJobs.Make.Remote(5);
        return $"{await made.Increment.Remote(1)} {await made.Read.Remote()}";
    }

    [Remote]
    public static async Task<int> Named(Cluster ray, string name) => await ray.GetActor<CountActor>(name).Increment.Remote(1);

    [Remote]
    public static async Task<string> NameOnce(Cluster ray)
    {
        var first = ray.CountActor.Options(new() { Name = "one", Detached = true }).Remote(1);
        var found = ray.GetActor<CountActor>("one");
        var again = ray.CountActor.Options(new() { Name = "one", GetIfExists = true }).Remote(1000);
        await first.Increment.Remote(1);
        return $"{await found.Read.Remote()} {await again.Read.Remote()} {first.Id == found.Id && found.Id == again.Id} {again.Name} {found.ToString()!.Replace(found.Id, "id", StringComparison.Ordinal)}"
            + $" {ErrorOf(() => ray.CountActor.Options(new() { Name = "one" }).Remote(1)).Replace(first.Id, "id", StringComparison.Ordinal)}";
    }

    [Remote]
    public static string Refused(Cluster ray)
    {
        var actor = ray.GroupActor.Remote();
        return string.Join('\n',
            ErrorOf(() => ray.GetActor<CountActor>("unknown")),
            ErrorOf(() => ray.CountActor.Options(new() { Name = "invalid", MaxRestarts = -2 }).Remote(1)),
            ErrorOf(() => ray.CountActor.Options(new() { GetIfExists = true }).Remote(1)),
            ErrorOf(() => ray.CountActor.Options(new() { NumCpus = 1000 }).Remote(1)),
            ErrorOf(() => ray.Actor<CountActor>(null, "many", "too many", "arguments")),
            ErrorOf(() => actor.Plain.Options(new() { ConcurrencyGroup = "none" }).Remote()),
            ErrorOf(() => ray.CreatePlacementGroup([new() { Cpus = 1000 }])),
            ErrorOf(() => ray.CreatePlacementGroup([])));
    }

    /// <summary>Returns the exception that is thrown immediately.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "All exceptions are returned.")]
    private static string ErrorOf(Func<object> code)
    {
        try
        {
            return $"nothing, but {code()}";
        }
        catch (Exception thrown)
        {
            return $"{thrown.GetType().Name}: {thrown.Message}";
        }
    }

    [Remote]
    public static async Task<string> OtherClass(Cluster ray)
    {
        var signal = ray.SignalActor.Options(new() { Name = "signal" }).Remote();
        await signal.Created;
        return ErrorOf(() => ray.GetActor<CountActor>("signal"));
    }

    [Remote]
    public static async Task<string> Full(Cluster ray)
    {
        var signal = ray.SignalActor.Options(new() { MaxPendingCalls = 1 }).Remote();
        var waiting = signal.Wait.Remote();
        var error = ErrorOf(() => signal.Waiting.Remote()).Replace(signal.Id, "id", StringComparison.Ordinal);
        signal.Kill();
        return $"{error} {await Failure(waiting)}";
    }

    [Remote]
    public static async Task<string> Kill(Cluster ray)
    {
        var actor = ray.CountActor.Remote(0);
        await actor.Increment.Remote(1);
        actor.Kill();
        return (await Failure(actor.Read.Remote())).Replace(actor.Id, "id", StringComparison.Ordinal);
    }

    [Remote]
    public static async Task<string> KillAndRestart(Cluster ray)
    {
        var actor = ray.CountActor.Options(new() { MaxRestarts = 1 }).Remote(0);
        await actor.Increment.Remote(5);
        actor.Kill(noRestart: false);
        return $"{await actor.Increment.Remote(1)}";
    }

    [Remote]
    public static async Task<string> Terminate(Cluster ray)
    {
        var actor = ray.CountActor.Options(new() { Isolation = Isolation.Process }).Remote(0);
        var last = actor.Increment.Remote(1);
        await actor.Terminate();
        return $"{await last} {(await Failure(actor.Read.Remote())).Replace(actor.Id, "id", StringComparison.Ordinal)}";
    }

    [Remote]
    public static async Task<string> Dies(Cluster ray)
    {
        var actor = ray.CountActor.Options(new() { Isolation = Isolation.Process }).Remote(0);
        await actor.Created;
        var failing = ray.FailingActor.Remote("as asked");
        return $"{(await Failure(actor.Crash.Remote(7))).Contains("exited with code 7", StringComparison.Ordinal)} {(await Failure(actor.Read.Remote())).Split(':')[0]}"
            + $" {(await Failure(failing.One.Remote())).Replace(failing.Id, "id", StringComparison.Ordinal)} {await Failure(ray.CountActor.Remote(0).Throw.Remote("in a call"))}";
    }

    /// <summary>Returns the exception that is thrown immediately or by the result: the latter if a worker submits the task.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "All exceptions are returned.")]
    private static async Task<string> FailureOf(Func<ObjectRef<int>> code)
    {
        try
        {
            return await Failure(code());
        }
        catch (Exception thrown)
        {
            return $"{thrown.GetType().Name}: {thrown.Message}";
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "All exceptions are returned.")]
    private static async Task<string> Failure<T>(ObjectRef<T> reference)
    {
        try
        {
            return $"nothing, but {await reference}";
        }
        catch (Exception thrown)
        {
            return $"{thrown.GetType().Name}: {thrown.Message}";
        }
    }

    [Remote]
    public static async Task<string> AsyncCalls(Cluster ray, Isolation isolation)
    {
        var signal = ray.SignalActor.Options(new() { Isolation = isolation }).Remote();
        var waiting = Enumerable.Range(0, 20).Select(_ => signal.Wait.Remote()).ToArray();
        while (await signal.Waiting.Remote() < 20)
            await Task.Delay(5);
        await signal.Send.Remote("sent");
        return string.Join(' ', await ray.Get(waiting));
    }

    [Remote]
    public static async Task<string> CancelCall(Cluster ray, Isolation isolation)
    {
        var actor = ray.CountActor.Options(new() { Isolation = isolation }).Remote(0);
        var running = actor.SleepUntilCancelled.Remote();
        await actor.Increment.Remote(0);
        ray.Cancel(running);
        var failure = (await Failure(running)).Replace(actor.Id, "id", StringComparison.Ordinal);
        while (await actor.Read.Remote() != -1)
            await Task.Delay(5);
        return failure;
    }

    [Remote]
    public static async IAsyncEnumerable<int> Count(int to, ActorHandle<CountActor> made, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            for (var i = 0; i < to; i++)
            {
                await made.Increment.Remote(1);
                cancellationToken.ThrowIfCancellationRequested();
                yield return i;
            }
        }
        finally
        {
            await made.Increment.Remote(1_000_000);
        }
    }

    [Remote]
    public static async IAsyncEnumerable<int> CountAndFail(int to)
    {
        for (var i = 0; i < to; i++)
        {
            await Task.Yield();
            yield return i;
        }

        throw new InvalidOperationException("at the end");
    }

    [Remote]
    public static async Task<string> Stream(Cluster ray)
    {
        var (sum, made) = (0, ray.CountActor.Remote(0));
        var stream = ray.ActorJobs.Count.Remote(100, made);
        await foreach (var item in stream)
            sum += await item;
        await stream.Completion;
        return $"{sum} {await made.Read.Remote()}";
    }

    /// <summary>Starts a stream that buffers one item, does not read it, and returns how many items it has made after a while.</summary>
    [Remote(NumCpus = 0)]
    public static async Task<int> StartUnreadStream(Cluster ray, ActorHandle<CountActor> made, Isolation isolation)
    {
        var stream = ray.ActorJobs.Count.Options(new() { Isolation = isolation, NumCpus = 0, MaxBufferedItems = 1 }).Remote(100, made);
        while (await made.Read.Remote() == 0)
            await Task.Delay(5);
        await Task.Delay(200);
        GC.KeepAlive(stream);
        return await made.Read.Remote();
    }

    [Remote]
    public static async Task<string> StreamThatFails(Cluster ray)
    {
        var sum = 0;
        try
        {
            await foreach (var item in ray.ActorJobs.CountAndFail.Remote(10))
                sum += await item;
        }
        catch (Exception thrown)
        {
            return $"{sum} {thrown.GetType()} {thrown.Message}";
        }

        return "nothing";
    }

    /// <summary>Reads a few items of an infinite stream and waits until the stream has been canceled.</summary>
    [Remote]
    public static async Task<string> StreamLeftEarly(Cluster ray)
    {
        var (read, made) = (0, ray.CountActor.Remote(0));
        var stream = ray.ActorJobs.Count.Remote(int.MaxValue, made);
        await foreach (var item in stream)
        {
            read += await item;
            if (read == 10)
                break;
        }

        while (await made.Read.Remote() < 1_000_000)
            await Task.Delay(5);
        return $"{read} {await made.Read.Remote() < 1_000_100} {stream.Completion.IsFaulted}";
    }

    /// <summary>Number of items that are produced while no item is read: the buffer size and a few in transit.</summary>
    [Remote]
    public static async Task<string> StreamUnread(Cluster ray, int buffer)
    {
        var made = ray.CountActor.Remote(0);
        var stream = ray.ActorJobs.Count.Options(new() { MaxBufferedItems = buffer }).Remote(1000, made);
        await foreach (var item in stream)
        {
            await item;
            var (before, now) = (-1, 0);
            while (before != now)
            {
                await Task.Delay(200);
                (before, now) = (now, await made.Read.Remote());
            }

            return now <= buffer + 7 ? "bounded" : $"{now} of {buffer}";
        }

        return "nothing";
    }

    [Remote(MaxRetries = 0)]
    public static async Task ReadAndDie(Cluster ray, ActorHandle<CountActor> made)
    {
        await foreach (var item in ray.ActorJobs.Count.Options(new() { Isolation = Isolation.None }).Remote(int.MaxValue, made))
        {
            if (await item == 5)
                Environment.Exit(7);
        }
    }

    [Remote]
    public static async Task<string> ActorStream(Cluster ray, Isolation isolation)
    {
        var actor = ray.CountActor.Options(new() { Isolation = isolation }).Remote(0);
        var read = new List<int>();
        await foreach (var item in actor.Up.Remote(50))
            read.Add(await item);
        var some = 0;
        await foreach (var item in actor.Up.Remote(int.MaxValue))
        {
            some += await item;
            if (some == 10)
                break;
        }

        var seen = await actor.Read.Remote();
        await Task.Delay(200);
        return $"{string.Join(' ', read)} {some} {await actor.Read.Remote() <= seen + 30}";
    }

    [Remote]
    public static async Task<string> Group(Cluster ray)
    {
        var free = ray.AvailableResources["CPU"];
        var group = ray.CreatePlacementGroup([new() { Cpus = 0.5 }, new() { Cpus = 0.25 }], PlacementStrategy.Pack, "two");
        await group.Ready;
        var held = free - ray.AvailableResources["CPU"];
        var inside = await ray.ActorJobs.Late.Options(new() { NumCpus = 0.5, Scheduling = group.Bundle(0) }).Remote(1);
        var actor = ray.CountActor.Options(new() { NumCpus = 0.25, Scheduling = group.Bundle(1) }).Remote(3);
        inside += await actor.Increment.Remote(1);
        var tooMuch = ErrorOf(() => ray.CountActor.Options(new() { NumCpus = 1, Scheduling = group.Bundle(1) }).Remote(3));
        var taskTooMuch = await FailureOf(() => ray.ActorJobs.Late.Options(new() { NumCpus = 1, Scheduling = group.Bundle(1) }).Remote(3));
        await group.DisposeAsync();
        while (ray.AvailableResources["CPU"] < free)
            await Task.Delay(5);
        return ($"{held} {inside} {group} {group.Bundles.Count} {group.Strategy} {tooMuch} {taskTooMuch} {await Failure(actor.Read.Remote())} ")
            .Replace(actor.Id, "id", StringComparison.Ordinal) + ErrorOf(() => ray.CountActor.Options(new() { Scheduling = group.Bundle(1) }).Remote(3));
    }

    [Remote]
    public static async Task<int> Give(ActorQueue<int> queue, int count)
    {
        for (var i = 0; i < count; i++)
            await queue.Put(i);
        return count;
    }

    [Remote]
    public static async Task<int> Receive(ActorQueue<int> queue, int count)
    {
        var sum = 0;
        for (var i = 0; i < count; i++)
            sum += await queue.Get();
        return sum;
    }

    [Remote]
    public static async Task<string> Queue(Cluster ray)
    {
        var queue = ray.Queue<int>(maxSize: 3);
        var given = ray.ActorJobs.Give.Remote(queue, 50);
        var received = ray.ActorJobs.Receive.Remote(queue, 50);
        var sums = $"{await given} {await received}";
        var words = ray.Queue<Word>();
        await words.Put(new("a", 1));
        await words.PutNoWaitBatch([new("b", 2), new("c", 3)]);
        var none = "";
        try
        {
            await queue.Get(TimeSpan.FromMilliseconds(10));
        }
        catch (QueueEmptyException thrown)
        {
            none = thrown.Message.Replace(queue.Name, "name", StringComparison.Ordinal);
        }

        return $"{sums} {await words.Size()} {await words.Get()} {string.Join(' ', await words.GetNoWaitBatch(2))} {none}";
    }

    [Remote]
    public static async Task<int> ReceiveLater(ActorQueue<int> queue, int count) => await Receive(queue, count);

    /// <summary>Passes a queue to a task that starts later, and drops its own reference.</summary>
    [Remote]
    public static async Task<int> QueueForgotten(Cluster ray)
    {
        var received = await FillAndForget(ray);

        // The caller's stack does not reference the queue.
        await Task.Yield();
        Collect();
        return await received;
    }

    private static async Task<ObjectRef<int>> FillAndForget(Cluster ray)
    {
        var queue = ray.Queue<int>();
        await queue.PutNoWaitBatch([1, 2, 3]);
        return ray.ActorJobs.ReceiveLater.Remote(queue, ray.ActorJobs.Late.Remote(3));
    }

    [Remote]
    public static async Task<string> Relay(Cluster ray, Isolation isolation)
    {
        var relay = ray.RelayActor.Options(new() { Isolation = isolation }).Remote(ray.CountActor.Remote(0));
        return $"{await relay.InOrder.Remote()} {await relay.Sum.Remote(100)}";
    }

    [Remote]
    public static async Task<bool> Sleep(ActorHandle<CountActor> actor) => await actor.SleepUntilCancelled.Remote();

    [Remote]
    public static async Task<string> UseGroup(Cluster ray, PlacementGroup group)
    {
        await group.Ready;
        var actor = ray.CountActor.Options(new() { NumCpus = 0.5, Scheduling = group.Bundle(0) }).Remote(3);
        var text = $"{await actor.Increment.Remote(1)} {group} {group.Bundles[0].Cpus}";
        actor.Kill();
        return text;
    }

    [Remote]
    public static async Task<string> PassGroup(Cluster ray)
    {
        await using var group = ray.CreatePlacementGroup([new() { Cpus = 0.5 }], PlacementStrategy.StrictPack, "given");
        return $"{await ray.ActorJobs.UseGroup.Options(new() { NumCpus = 0.1 }).Remote(group)} {await ray.ActorJobs.UseGroup.Options(new() { NumCpus = 0.1, Isolation = Isolation.None }).Remote(ray.Put(group))}";
    }

    [Remote]
    public static async Task<string> Pool(Cluster ray)
    {
        var pool = new ActorPool<CountActor>(ray.CountActor.Remote(0), ray.CountActor.Remote(0));
        var results = new List<int>();
        await foreach (var result in pool.Map((actor, by) => actor.Increment.Remote(by), Enumerable.Repeat(0, 20)))
            results.Add(result);
        pool.Submit((actor, by) => actor.Increment.Remote(by), 0);
        return $"{results.Count} {results.Sum()} {await pool.GetNext<int>()}";
    }

    /// <summary>A call that waits for a later call.</summary>
    [Remote]
    public static async Task<string> Stuck(Cluster ray, Isolation isolation)
    {
        var actor = ray.CountActor.Options(new() { Isolation = isolation }).Remote(0);
        try
        {
            return $"{await actor.CallItself.Remote(actor)}";
        }
        catch (DeadlockException)
        {
            return typeof(DeadlockException).FullName!;
        }
    }

    /// <summary>Occupies CPUs of other tasks while its call waits.</summary>
    [Remote]
    public static async Task<int> NestedInCall(Cluster ray) => await ray.CountActor.Remote(ray.ActorJobs.Late.Remote(4)).Increment.Remote(ray.ActorJobs.Late.Remote(3));

    /// <summary>A large array as an argument of a constructor that runs again after a restart.</summary>
    [Remote]
    public static async Task<string> LargeArgument(Cluster ray)
    {
        var actor = ray.ArrayActor.Options(new() { Isolation = Isolation.Process, MaxRestarts = 1 }).Remote(new double[100_000]);
        var length = await actor.Length.Remote(new double[50_000]);
        actor.Kill(noRestart: false);
        return $"{length} {await actor.Length.Remote(new double[20_000])}";
    }

    /// <summary>Creates an actor, keeps its handle in this process and returns its id.</summary>
    [Remote]
    public static string Keep(Cluster ray)
    {
        var actor = ray.CountActor.Options(new() { Name = "kept" }).Remote(0);
        actor.Created.GetAwaiter().GetResult();
        lock (Kept)
            Kept.Add(actor);
        return $"{Environment.ProcessId} {actor.Id}";
    }

    [Remote]
    public static void KeepGiven(ActorHandle<CountActor> actor)
    {
        lock (Kept)
            Kept.Add(actor);
    }

    [Remote]
    public static void Forget()
    {
        lock (Kept)
            Kept.Clear();
        Collect();
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    public sealed record Team(ActorHandle<CountActor> First, Dictionary<string, ActorHandle<CountActor>> Others);

    public sealed record Word(string Text, int Number);
}
