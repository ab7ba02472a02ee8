using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>What blocking a thread holds up, by whose thread it is.</summary>
public sealed class TaskContextTests
{
    [Fact]
    public void FlowOfThread_IsTheTasksOwnOrItsTurnOrNothing()
    {
        var (own, other) = (new TurnBasedTurns(NullLogger.Instance), new TurnBasedTurns(NullLogger.Instance));
        var context = new Context(own);
        var before = SynchronizationContext.Current;
        try
        {
            SynchronizationContext.SetSynchronizationContext(null);
            Assert.Null(context.FlowOfThread);

            SynchronizationContext.SetSynchronizationContext(new TurnContext(own, blocking: false));
            Assert.Same(RefWait.Turn, context.FlowOfThread);

            // Code of an actor that this one's code has called.
            SynchronizationContext.SetSynchronizationContext(new TurnContext(other, blocking: false));
            Assert.Null(context.FlowOfThread);
            Assert.Null(new Context(null).FlowOfThread);

            var outer = TaskContext.SetOnThread(context);
            Assert.Same(RefWait.Thread, context.FlowOfThread);
            TaskContext.SetOnThread(outer);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Fact]
    public void AddWaits_OfWhatHoldsUpTheTask()
    {
        var context = new Context(null);
        var marks = new object?[] { RefWait.Thread, RefWait.Turn, RefWait.Code, null, Task.CompletedTask };
        var waits = marks.Select(mark => context.BeginWait([], 1, mark)).ToArray();
        var needs = new List<ObjectNeed>();

        context.AddWaits(needs);

        Assert.Equal([waits[2], waits[0]], needs.Select(need => need.Since));
        Assert.Same(waits[1], context.TurnWait);
        waits[1].End(new Grant());
        Assert.Same(waits[0], context.TurnWait);
    }

    private sealed class Context(MailboxTurns? turns) : TaskContext
    {
        public override Cluster Cluster => throw new NotSupportedException();

        public override ObjectId TaskId => new(1);

        protected override MailboxTurns? Turns => turns;
    }
}
