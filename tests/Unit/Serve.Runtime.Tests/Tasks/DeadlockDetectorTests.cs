using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Tasks;
using Serve.Runtime.Tests.State;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>The deadlock detector, poll by poll, with producers whose dependencies are set by the test.</summary>
public sealed class DeadlockDetectorTests : IDisposable
{
    private static readonly FakeRuntimeCluster Cluster = new();
    private static readonly ResourceLedger Ledger = new(ResourceDemand.None.With("slot", 3));
    private readonly FakeTimeProvider _time = new();
    private readonly List<ObjectRef> _waiting = [];
    private readonly List<WaitingResourceHolder> _holders = [];
    private readonly DeadlockDetector _detector;
    private bool _throws;
    private int _polls;
    private long _last;

    public DeadlockDetectorTests() => _detector = new(Observe, _time);

    public void Dispose() => _detector.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Poll_CycleFoundTwice_FailsYoungestAwaitedAndDescribesCycle(bool isFirstYounger)
    {
        var (old, young) = (Make("old"), Make("young"));
        var (first, second) = isFirstYounger ? (young, old) : (old, young);
        first.Waits(second);
        second.Waits(first);
        var third = Make("third");
        third.Waits(old);

        Poll();
        Assert.All([old, young, third], one => Assert.False(one.Ref.IsReady));
        Poll();

        var failure = Assert.IsType<DeadlockException>(young.Ref.Error);
        Assert.Same(failure, young.Failure);
        Assert.Contains("old waits for young", failure.Message, StringComparison.Ordinal);
        Assert.Contains("young waits for old", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("third", failure.Message, StringComparison.Ordinal);
        Assert.False(old.Ref.IsReady);
        Assert.False(third.Ref.IsReady);
    }

    [Fact]
    public void Poll_NewWaitForSameObject_IsNotTheOneOfThePreviousPoll()
    {
        var (first, second) = (Make("first"), Make("second"));
        first.Waits(second);
        second.Waits(first);
        Poll();

        second.Dependencies.Clear();
        second.Waits(first);
        Poll();

        Assert.False(second.Ref.IsReady);
        Poll();
        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Poll_CycleInEveryOtherPoll_IsNotReported()
    {
        var (first, second) = (Make("first"), Make("second"));
        first.Waits(second);
        second.Waits(first);
        var wait = second.Dependencies[0];
        for (var i = 0; i < 4; i++)
        {
            Poll();
            if (i % 2 == 0)
                second.Dependencies.Clear();
            else
                second.Dependencies.Add(wait);
        }

        Assert.False(second.Ref.IsReady);
    }

    [Fact]
    public void Poll_TwoCycles_ReportsBoth()
    {
        var all = Enumerable.Range(0, 4).Select(number => Make($"maker {number}")).ToArray();
        all[0].Waits(all[1]);
        all[1].Waits(all[0]);
        all[2].Waits(all[3]);
        all[3].Waits(all[2]);

        Poll();
        Poll();

        Assert.IsType<DeadlockException>(all[1].Ref.Error);
        Assert.IsType<DeadlockException>(all[3].Ref.Error);
        Assert.False(all[0].Ref.IsReady || all[2].Ref.IsReady);
    }

    [Fact]
    public void Poll_CycleThatWaitsForAnotherCycle_ReportsEachSeparately()
    {
        var all = Enumerable.Range(0, 4).Select(number => Make($"maker {number}")).ToArray();
        all[0].Waits(2, [all[2], all[1]]);
        all[1].Waits(all[0]);
        all[2].Waits(all[3]);
        all[3].Waits(all[2]);

        Poll();
        Poll();

        Assert.DoesNotContain("maker 0", all[3].Ref.Error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("maker 2", all[1].Ref.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Poll_RunsOnlyWhileCodeWaits()
    {
        var (first, free) = (Make("first"), Make("free"));
        first.Waits(free);
        Poll();
        Assert.Equal(1, _polls);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_polls > 1);

        _waiting.Clear();
        _time.Advance(TimeSpan.FromSeconds(2));
        var before = _polls;
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(before, _polls);
    }

    [Fact]
    public void Poll_Throws_IsRepeated()
    {
        _throws = true;
        _detector.Arm();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, _polls);
        _throws = false;
        _time.Advance(TimeSpan.FromSeconds(1));

        // Nothing waits: polled once more, because a wait may have begun concurrently, and then no more.
        Assert.Equal(3, _polls);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(3, _polls);
    }

    [Fact]
    public void Dispose_Armed_NeverPolls()
    {
        Make("first");
        _detector.Arm();

        _detector.Dispose();
        _time.Advance(TimeSpan.FromSeconds(2));
        _detector.Arm();
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, _polls);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Poll_WaitForSomeOfTwo_IsReportedIfBothAreNecessary(int count, bool isReported)
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(count, [second, free]);
        second.Waits(first);

        Poll();
        Poll();

        Assert.Equal(isReported, second.Ref.IsReady);
    }

    [Fact]
    public void Poll_WaitUntilFault_IsReportedWhenOnlyOneObjectIsPending()
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(2, [second, free], untilFault: true);
        second.Waits(first);

        Poll();
        Poll();
        Assert.False(second.Ref.IsReady);

        free.Ref.TrySetResult(1);
        first.Dependencies.Clear();
        first.Waits(2, [second, free], untilFault: true);
        Poll();
        Poll();
        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Poll_WaitUntilFaultThatHasFailed_IsNotReported()
    {
        var (first, second, failed) = (Make("first"), Make("second"), Make("failed"));
        failed.Ref.TrySetException(new InvalidOperationException());
        first.Waits(2, [second, failed], untilFault: true);
        second.Waits(first);

        Poll();
        Poll();

        Assert.False(second.Ref.IsReady);
    }

    [Fact]
    public void Poll_AwaitedObjectReady_IsNotReported()
    {
        var (first, second, ready) = (Make("first"), Make("second"), Make("ready"));
        ready.Ref.TrySetResult(1);
        first.Waits(1, [ready], untilFault: true);
        second.Waits(first);

        Poll();
        Poll();

        Assert.False(second.Ref.IsReady || first.Ref.IsReady);
    }

    [Fact]
    public void Poll_OneOfTwoDependenciesInCycle_IsReported()
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(free);
        first.Waits(second);
        second.Waits(first);

        Poll();
        Poll();

        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Poll_ObjectWithoutProducer_IsNotReported()
    {
        var first = Make("first");
        var unknown = new ObjectRef<int>(Cluster, new(99));
        first.Dependencies.Add(new(unknown, new ObjectRefWait(null!, [unknown], 1, null)));

        Poll();
        Poll();

        Assert.False(first.Ref.IsReady || unknown.IsReady);
    }

    [Fact]
    public void Poll_DependencyWithReason_MessageContainsReason()
    {
        var call = Make("the call");
        call.Dependencies.Add(new(call.Ref, new ObjectRefWait(null!, [call.Ref], 1, ObjectRefWait.Turn), "waits for the holder, which blocks its actor"));

        Poll();
        Poll();

        Assert.Contains("the call waits for the holder, which blocks its actor", call.Ref.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Poll_ResourcesHeldByWaiter_IsReportedIfTheRestIsTooLittle(double demand, bool isReported)
    {
        // The oldest, and yet the one that is awaited.
        var (wants, holder) = (Make("c"), Make("a"));
        holder.Waits(wants);
        Hold(1, holder);
        wants.Demands(demand, _holders);

        Poll();
        Poll();

        Assert.Equal(isReported, wants.Ref.IsReady);
        if (isReported)
            Assert.Contains("c waits for slot 3, of which slot is held by a", wants.Ref.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Poll_ResourcesHeldUntilSeveralFinish_AllAreNecessary()
    {
        var (holder, other, wants, free) = (Make("a"), Make("b"), Make("c"), Make("d"));
        holder.Waits(wants);
        other.Waits(free);
        Hold(1, holder);
        Hold(1, other);
        wants.Demands(2, _holders);

        Poll();
        Poll();
        Assert.False(wants.Ref.IsReady);

        _holders.Clear();
        Hold(2, holder, other);
        wants.Dependencies.Clear();
        wants.Demands(2, _holders);
        Poll();
        Poll();
        Assert.True(wants.Ref.IsReady);
    }

    [Fact]
    public void Poll_ResourcesOfAnotherLedger_IsNotReported()
    {
        var (holder, wants) = (Make("a"), Make("b"));
        holder.Waits(wants);
        _holders.Add(new(new(Slots(1)), Slots(1), [holder.Ref], holder.Label));
        wants.Demands(1, _holders);

        Poll();
        Poll();

        Assert.False(wants.Ref.IsReady);
    }

    [Fact]
    public void Poll_ResourceThatNoHolderHolds_IsNotReported()
    {
        var (holder, wants) = (Make("a"), Make("b"));
        holder.Waits(wants);
        Hold(1, holder);
        WaitingResourceHolder.AddDependencies(wants.Dependencies, _holders, 1, [Ledger], ResourceDemand.None.With("other", 1), queue: null);

        Poll();
        Poll();

        Assert.False(wants.Ref.IsReady);
    }

    [Fact]
    public void AddDependencies_HolderOfSameQueue_IsNecessaryOnlyIfItRunsNothingElse()
    {
        var queue = new TaskQueue(null!, Slots(1), [Ledger], 0, runsInWorker: true);
        var (holder, free) = (Make("a"), Make("b"));

        Assert.Empty(DependenciesOn(new(Ledger, Slots(3), [holder.Ref], "a") { Queue = queue, RunsOthers = true }, queue));
        Assert.Empty(DependenciesOn(new(Ledger, Slots(3), [holder.Ref, free.Ref], "a") { Queue = queue }, queue));
        Assert.Single(DependenciesOn(new(Ledger, Slots(3), [holder.Ref], "a") { Queue = queue }, queue));
    }

    [Fact]
    public void AddDependencies_HolderOfOtherQueue_IsNecessary()
    {
        var (queue, other) = (new TaskQueue(null!, Slots(1), [Ledger], 0, runsInWorker: true), new TaskQueue(null!, Slots(1), [Ledger], 1, runsInWorker: true));

        Assert.Single(DependenciesOn(new(Ledger, Slots(3), [Make("a").Ref], "a") { Queue = queue, RunsOthers = true }, other));
    }

    private static List<ObjectDependency> DependenciesOn(WaitingResourceHolder holder, TaskQueue queue)
    {
        var dependencies = new List<ObjectDependency>();
        WaitingResourceHolder.AddDependencies(dependencies, [holder], 1, [Ledger], Slots(1), queue);
        return dependencies;
    }

    private static ResourceDemand Slots(double amount) => ResourceDemand.None.With("slot", amount);

    private void Hold(double amount, params FakeProducer[] until) =>
        _holders.Add(new(Ledger, Slots(amount), [.. until.Select(maker => maker.Ref)], string.Join(" and ", until.Select(maker => maker.Label))));

    private void Observe(WaitingTaskSnapshot snapshot)
    {
        _polls++;
        if (_throws)
            throw new InvalidOperationException("Thrown by the test.");
        snapshot.Waiting.AddRange(_waiting);
    }

    private void Poll()
    {
        if (_polls == 0)
            _detector.Arm();
        var before = _polls;
        while (_polls == before)
            _time.Advance(TimeSpan.FromMilliseconds(50));
    }

    private FakeProducer Make(string label)
    {
        var made = new FakeProducer(label, new(Cluster, new(++_last)));
        made.Ref.Producer = made;
        _waiting.Add(made.Ref);
        return made;
    }

    private sealed class FakeProducer(string label, ObjectRef<int> reference) : IObjectProducer
    {
        public ObjectRef<int> Ref => reference;

        public List<ObjectDependency> Dependencies { get; } = [];

        public Exception? Failure { get; private set; }

        public string Label => label;

        public void Waits(FakeProducer other) => Waits(1, [other]);

        public void Waits(int count, FakeProducer[] others, bool untilFault = false)
        {
            ObjectRef[] references = [.. others.Select(other => other.Ref)];
            ObjectDependency.AddRequired(Dependencies, new ObjectRefWait(null!, references, count, ObjectRefWait.Thread), references, count, untilFault);
        }

        public void Demands(double amount, List<WaitingResourceHolder> holders) => WaitingResourceHolder.AddDependencies(Dependencies, holders, 1, [Ledger], Slots(amount), queue: null);

        public void AddDependencies(ICollection<ObjectDependency> dependencies)
        {
            foreach (var dependency in Dependencies)
                dependencies.Add(dependency);
        }

        public void Fail(Exception failure) => Failure = failure;

        public void Cancel(bool force, bool recursive) => throw new NotSupportedException();
    }
}
