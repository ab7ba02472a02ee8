using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

public sealed class LongWaitPollerTests
{
    [Fact]
    public void Look_Throws_IsTriedAgainAndTheProgramGoesOn()
    {
        var time = new FakeTimeProvider();
        using var watch = new Watch(time);
        ((IThreadPoolWorkItem)watch).Execute();
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, watch.Looks);
        time.Advance(TimeSpan.FromSeconds(1));

        // Nothing waits: once more, since somebody may have begun to meanwhile, and then no more.
        Assert.Equal(3, watch.Looks);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(3, watch.Looks);
    }

    private sealed class Watch(TimeProvider time) : LongWaitPoller(time)
    {
        public int Looks { get; private set; }

        protected override bool Look() => ++Looks == 1 ? throw new InvalidOperationException("A look.") : false;
    }
}
