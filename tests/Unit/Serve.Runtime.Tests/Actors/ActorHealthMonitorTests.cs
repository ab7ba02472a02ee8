using Microsoft.Extensions.Time.Testing;

namespace Serve.Runtime.Tests.Actors;

public sealed class ActorHealthMonitorTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly ActorTurnScheduler _turns = ActorTurnScheduler.Create(ConcurrencyMode.TurnBased);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Check_CallsWaitForTheirTurn_RunsBeforeThemWithItsContinuations(bool blocking)
    {
        var order = new List<string>();
        using var first = new BlockedTurn(_turns, blocking);
        var calls = Enumerable.Range(0, 40).Select(call => _turns.RunAsync(call, call =>
        {
            order.Add($"call {call}");
            return new ValueTask<int>(call);
        }, blocking).AsTask()).ToList();
        var check = Monitor(async _ =>
        {
            order.Add("check");
            await Task.Yield();
            order.Add("checked");
        }).CheckAsync(Limit, _time, CancellationToken.None);

        first.End();
        await check.SoonAsync();
        await Task.WhenAll(calls).SoonAsync();

        Assert.Equal("check", order[0]);
        Assert.InRange(order.IndexOf("checked"), 1, 2);
    }

    [Fact]
    public async Task Check_EachTurnTakesLongerThanTheLimit_Passes()
    {
        var monitor = Monitor(_ => ValueTask.CompletedTask);
        for (var turn = 0; turn < 5; turn++)
        {
            using var current = new BlockedTurn(_turns);
            await TimeOut(monitor).SoonAsync();
            current.End();
            await _turns.RunAsync(0, static _ => new ValueTask<int>(0)).SoonAsync();
        }
    }

    [Fact]
    public async Task Check_OneTurnNeverEnds_FailsFromTheSecondTime()
    {
        var monitor = Monitor(_ => ValueTask.CompletedTask);
        using var stuck = new BlockedTurn(_turns);
        await TimeOut(monitor).SoonAsync();

        foreach (var _ in Enumerable.Range(0, 3))
            Assert.Contains("one turn has been running", (await Assert.ThrowsAsync<UserCodeException>(() => TimeOut(monitor).SoonAsync())).Message, StringComparison.Ordinal);

        stuck.End();
        await monitor.CheckAsync(Limit, _time, CancellationToken.None).SoonAsync();
    }

    [Fact]
    public async Task Check_HookIgnoresItsToken_TimesOut()
    {
        var never = new TaskCompletionSource();
        var check = Monitor(_ => new(never.Task)).CheckAsync(Limit, _time, CancellationToken.None);
        await _turns.RunAsync(0, static _ => new ValueTask<int>(0)).SoonAsync();
        _time.Advance(Limit);

        Assert.Contains("within 1 s", (await Assert.ThrowsAsync<UserCodeException>(() => check.SoonAsync())).Message, StringComparison.Ordinal);
    }

    private ActorHealthMonitor Monitor(Func<CancellationToken, ValueTask> check) => new(new CheckedInstance(check), _turns);

    private async Task TimeOut(ActorHealthMonitor monitor)
    {
        var check = monitor.CheckAsync(Limit, _time, CancellationToken.None);
        _time.Advance(Limit);
        await check;
    }

    /// <summary>A turn that has started and blocks its thread until it is ended.</summary>
    private sealed class BlockedTurn : IDisposable
    {
        private readonly ManualResetEventSlim _end = new();
        private readonly Task _turn;

        public BlockedTurn(ActorTurnScheduler turns, bool blocking = false)
        {
            using var started = new ManualResetEventSlim();
            _turn = Task.Run(() => turns.RunAsync(0, _ =>
            {
                started.Set();
                _end.Wait();
                return new ValueTask<int>(0);
            }, blocking).AsTask());
            Assert.True(started.Wait(TimeSpan.FromSeconds(30)));
        }

        public void End() => _end.Set();

        public void Dispose()
        {
            _end.Set();
            _turn.Wait();
            _end.Dispose();
        }
    }

    private sealed class CheckedInstance(Func<CancellationToken, ValueTask> check) : ActorInstance
    {
        public override object Target => this;

        public override ActorMethodTable Methods { get; } = ActorMethodTable.For(typeof(CheckedInstance));

        public override ValueTask CheckHealthAsync(CancellationToken cancellationToken) => check(cancellationToken);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
