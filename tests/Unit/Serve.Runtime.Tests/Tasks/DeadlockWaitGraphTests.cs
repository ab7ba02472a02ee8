using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Tasks;
using Serve.Runtime.Tests.State;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Who never comes, look by look, of makers whose needs a test writes.</summary>
public sealed class DeadlockWaitGraphTests : IDisposable
{
    private static readonly FakeRuntimeCluster Cluster = new();
    private static readonly ResourceLedger Ledger = new(ResourceDemand.None.With("slot", 3));
    private readonly FakeTimeProvider _time = new();
    private readonly List<ObjectRef> _waiting = [];
    private readonly List<WaitingResourceHolder> _holders = [];
    private readonly DeadlockDetector _looks;
    private int _looked;
    private long _last;

    public DeadlockWaitGraphTests() => _looks = new(Observe, _time);

    public void Dispose() => _looks.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Look_Twice_FailsTheYoungestThatIsWaitedForAndNamesTheCircle(bool isFirstYounger)
    {
        var (old, young) = (Make("old"), Make("young"));
        var (first, second) = isFirstYounger ? (young, old) : (old, young);
        first.Waits(second);
        second.Waits(first);
        var third = Make("third");
        third.Waits(old);

        Look();
        Assert.All([old, young, third], one => Assert.False(one.Ref.IsReady));
        Look();

        var told = Assert.IsType<DeadlockException>(young.Ref.Error);
        Assert.Same(told, young.Failure);
        Assert.Contains("old waits for young", told.Message, StringComparison.Ordinal);
        Assert.Contains("young waits for old", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("third", told.Message, StringComparison.Ordinal);
        Assert.False(old.Ref.IsReady);
        Assert.False(third.Ref.IsReady);
    }

    [Fact]
    public void Look_AnotherWaitForTheSame_IsNotTheOneOfTheLookBefore()
    {
        var (first, second) = (Make("first"), Make("second"));
        first.Waits(second);
        second.Waits(first);
        Look();

        second.Needs.Clear();
        second.Waits(first);
        Look();

        Assert.False(second.Ref.IsReady);
        Look();
        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Look_ACircleThatIsThereInEveryOtherLook_IsNotTold()
    {
        var (first, second) = (Make("first"), Make("second"));
        first.Waits(second);
        var wait = second.Waits(first);
        for (var i = 0; i < 4; i++)
        {
            Look();
            if (i % 2 == 0)
                second.Needs.Clear();
            else
                second.Needs.Add(wait);
        }

        Assert.False(second.Ref.IsReady);
    }

    [Fact]
    public void Look_TwoCircles_BothTold()
    {
        var all = Enumerable.Range(0, 4).Select(number => Make($"maker {number}")).ToArray();
        all[0].Waits(all[1]);
        all[1].Waits(all[0]);
        all[2].Waits(all[3]);
        all[3].Waits(all[2]);

        Look();
        Look();

        Assert.IsType<DeadlockException>(all[1].Ref.Error);
        Assert.IsType<DeadlockException>(all[3].Ref.Error);
        Assert.False(all[0].Ref.IsReady || all[2].Ref.IsReady);
    }

    [Fact]
    public void Look_ACircleOneOfWhichWaitsForAnother_EachToldByItself()
    {
        var all = Enumerable.Range(0, 4).Select(number => Make($"maker {number}")).ToArray();
        all[0].Waits(2, [all[2], all[1]]);
        all[1].Waits(all[0]);
        all[2].Waits(all[3]);
        all[3].Waits(all[2]);

        Look();
        Look();

        Assert.DoesNotContain("maker 0", all[3].Ref.Error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("maker 2", all[1].Ref.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_OnlyWhileAnythingWaits()
    {
        var (first, free) = (Make("first"), Make("free"));
        first.Waits(free);
        Look();
        Assert.Equal(1, _looked);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_looked > 1);

        _waiting.Clear();
        _time.Advance(TimeSpan.FromSeconds(2));
        var before = _looked;
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(before, _looked);
    }

    [Fact]
    public void Look_Disposed_IsNeverTaken()
    {
        Make("first");
        ((IThreadPoolWorkItem)_looks).Execute();

        _looks.Dispose();
        _time.Advance(TimeSpan.FromSeconds(2));
        ((IThreadPoolWorkItem)_looks).Execute();
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, _looked);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Look_SomeOfManyThatOneCanMeet_ToldWhenItCannot(int count, bool isStuck)
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(count, [second, free]);
        second.Waits(first);

        Look();
        Look();

        Assert.Equal(isStuck, second.Ref.IsReady);
    }

    [Fact]
    public void Look_AllOfManyUntilOneFails_ToldWhenTheOthersAreThere()
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(2, [second, free], untilFault: true);
        second.Waits(first);

        Look();
        Look();
        Assert.False(second.Ref.IsReady);

        free.Ref.TrySetResult(1);
        Look();
        Look();
        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Look_AllOfManyUntilOneFailsThatHas_IsNotTold()
    {
        var (first, second, failed) = (Make("first"), Make("second"), Make("failed"));
        first.Waits(2, [second, failed], untilFault: true);
        second.Waits(first);
        failed.Ref.TrySetException(new InvalidOperationException());

        Look();
        Look();

        Assert.False(second.Ref.IsReady);
    }

    [Fact]
    public void Look_AllThatIsNeededIsThere_IsNotTold()
    {
        var (first, second, there) = (Make("first"), Make("second"), Make("there"));
        there.Ref.TrySetResult(1);
        first.Waits(1, [there], untilFault: true);
        second.Waits(first);

        Look();
        Look();

        Assert.False(second.Ref.IsReady || first.Ref.IsReady);
    }

    [Fact]
    public void Look_OneOfTwoNeedsNeverMet_ToldAlthoughTheOtherCanBe()
    {
        var (first, second, free) = (Make("first"), Make("second"), Make("free"));
        first.Waits(free);
        first.Waits(second);
        second.Waits(first);

        Look();
        Look();

        Assert.IsType<DeadlockException>(second.Ref.Error);
    }

    [Fact]
    public void Look_WithoutAMaker_Comes()
    {
        var first = Make("first");
        var unknown = new ObjectRef<int>(Cluster, new(99));
        first.Needs.Add(new ObjectRefDependency(new ObjectRefWait(null!, [unknown], 1, null), [unknown], 1));

        Look();
        Look();

        Assert.False(first.Ref.IsReady || unknown.IsReady);
    }

    [Fact]
    public void Look_TurnThatIsKeptForWhoNeedsIt_ToldOfBoth()
    {
        var (holder, call) = (Make("the holder"), Make("the call"));
        var wait = new ObjectRefWait(null!, [call.Ref], 1, ObjectRefWait.Turn);
        call.Needs.Add(new ActorTurnDependency(wait, "the holder"));
        _waiting.Add(call.Ref);

        Look();
        Look();

        Assert.Contains("the call waits for the holder, which blocks its actor until the call is there", call.Ref.Error!.Message, StringComparison.Ordinal);
        Assert.False(holder.Ref.IsReady);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void Look_ResourcesHeldByWhoWaitsForThem_ToldWhenTheRestIsTooLittle(double demand, bool isStuck)
    {
        // The oldest, and yet the one that is waited for.
        var (wants, holder, other) = (Make("c"), Make("a"), Make("b"));
        holder.Waits(wants);
        other.Waits(wants);
        Hold(1, holder);
        Hold(1, other);
        wants.Needs.Add(new ResourceDependency(1, [Ledger], Slots(demand), queue: null, _holders));

        Look();
        Look();

        Assert.Equal(isStuck, wants.Ref.IsReady);
        if (isStuck)
            Assert.Contains("c waits for slot 2, of which slot is held by a, b", wants.Ref.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_ResourcesHeldByWhoGoesOn_IsNotTold()
    {
        var (holder, other, wants, free) = (Make("a"), Make("b"), Make("c"), Make("d"));
        holder.Waits(wants);
        other.Waits(free);
        Hold(1, holder);
        Hold(1, other);
        wants.Needs.Add(new ResourceDependency(1, [Ledger], Slots(2), queue: null, _holders));

        Look();
        Look();
        Assert.False(wants.Ref.IsReady);

        // One that waits for it too, beside one that does not: all have to end before it is given back.
        _holders.Clear();
        Hold(2, holder, other);
        Look();
        Look();
        Assert.True(wants.Ref.IsReady);
    }

    [Fact]
    public void Look_ResourcesThatAnotherLedgerHas_IsNotTold()
    {
        var (holder, wants) = (Make("a"), Make("b"));
        holder.Waits(wants);
        Hold(3, holder);
        wants.Needs.Add(new ResourceDependency(1, [Ledger, new(Slots(1))], Slots(1), queue: null, _holders));
        var (another, more) = (Make("c"), Make("d"));
        another.Waits(more);
        _holders.Add(new(new(Slots(1)), Slots(1), [another.Ref], another.Label));
        more.Needs.Add(new ResourceDependency(1, [new(Slots(1))], Slots(1), queue: null, _holders));

        Look();
        Look();

        Assert.False(wants.Ref.IsReady || more.Ref.IsReady);
    }

    [Fact]
    public void Look_ResourcesThatNobodyHas_IsNotTold()
    {
        var (holder, wants) = (Make("a"), Make("b"));
        holder.Waits(wants);
        Hold(1, holder);
        wants.Needs.Add(new ResourceDependency(1, [Ledger], ResourceDemand.None.With("other", 1), queue: null, _holders));
        var own = Make("own");
        own.Waits(own);

        Look();
        Look();

        Assert.False(wants.Ref.IsReady);
        Assert.True(own.Ref.IsReady);
    }

    [Fact]
    public void Look_ResourcesThatTheSameQueueRunsWith_ToldWhenNothingThereGoesOn()
    {
        var queue = new TaskQueue(null!, Slots(1), [Ledger], 0, isProcess: true);
        var (holder, wants, free) = (Make("a"), Make("b"), Make("c"));
        holder.Waits(wants);
        wants.Needs.Add(new ResourceDependency(1, [Ledger], Slots(1), queue, _holders));

        // Another one runs beside it, after which it is served.
        LookAt(new(Ledger, Slots(3), [holder.Ref], "a") { Queue = queue, GoesOn = true });
        Assert.False(wants.Ref.IsReady);

        // Another one waits for what comes.
        free.Waits(Make("d"));
        LookAt(new(Ledger, Slots(3), [holder.Ref, free.Ref], "a") { Queue = queue });
        Assert.False(wants.Ref.IsReady);

        // None of that is of use to another queue's.
        LookAt(new(Ledger, Slots(3), [holder.Ref], "a") { Queue = queue });
        Assert.True(wants.Ref.IsReady);
    }

    [Fact]
    public void Look_ResourcesThatAnotherQueueRunsWith_ToldAlthoughThatGoesOn()
    {
        var (queue, other) = (new TaskQueue(null!, Slots(1), [Ledger], 0, isProcess: true), new TaskQueue(null!, Slots(1), [Ledger], 1, isProcess: true));
        var (holder, wants) = (Make("a"), Make("b"));
        holder.Waits(wants);
        wants.Needs.Add(new ResourceDependency(1, [Ledger], Slots(1), other, _holders));

        LookAt(new(Ledger, Slots(3), [holder.Ref], "a") { Queue = queue, GoesOn = true });

        Assert.True(wants.Ref.IsReady);
    }

    private static ResourceDemand Slots(double amount) => ResourceDemand.None.With("slot", amount);

    private void Hold(double amount, params Maker[] until) => _holders.Add(new(Ledger, Slots(amount), [.. until.Select(maker => maker.Ref)], string.Join(" and ", until.Select(maker => maker.Label))));

    private void LookAt(WaitingResourceHolder holder)
    {
        _holders.Clear();
        _holders.Add(holder);
        Look();
        Look();
    }

    private void Observe(WaitingTaskSnapshot seen)
    {
        _looked++;
        seen.Waiting.AddRange(_waiting);
    }

    private void Look()
    {
        // What the thread pool does when a wait begins.
        if (_looked == 0)
            ((IThreadPoolWorkItem)_looks).Execute();
        var before = _looked;
        while (_looked == before)
            _time.Advance(TimeSpan.FromMilliseconds(50));
    }

    private Maker Make(string label)
    {
        var made = new Maker(label, new(Cluster, new(++_last)));
        made.Ref.Producer = made;
        _waiting.Add(made.Ref);
        return made;
    }

    /// <summary>Makes nothing.</summary>
    private sealed class Maker(string label, ObjectRef<int> reference) : IObjectProducer
    {
        public ObjectRef<int> Ref => reference;

        public List<ObjectDependency> Needs { get; } = [];

        public Exception? Failure { get; private set; }

        public string Label => label;

        public ObjectDependency Waits(Maker other) => Waits(1, [other]);

        public ObjectDependency Waits(int count, Maker[] others, bool untilFault = false)
        {
            ObjectRef[] references = [.. others.Select(other => other.Ref)];
            Needs.Add(new ObjectRefDependency(new ObjectRefWait(null!, references, count, ObjectRefWait.Thread), references, count, untilFault));
            return Needs[^1];
        }

        public void AddDependencies(ICollection<ObjectDependency> needs)
        {
            foreach (var need in Needs)
                needs.Add(need);
        }

        public void Fail(Exception failure) => Failure = failure;

        public void Cancel(bool force, bool recursive) => throw new NotSupportedException();
    }
}
