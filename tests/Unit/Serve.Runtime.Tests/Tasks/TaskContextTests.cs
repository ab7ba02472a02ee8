using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Tasks;
using Serve.Runtime.Tests.State;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Waits of a context, by the resource that they block.</summary>
public sealed class TaskContextTests
{
    [Fact]
    public void FlowOfThread_TaskThreadTurnOrOther_ReturnsWaitKind()
    {
        var (own, other) = (new TurnBasedScheduler(NullLogger.Instance), new TurnBasedScheduler(NullLogger.Instance));
        var context = new FakeTaskContext(own);
        var before = SynchronizationContext.Current;
        try
        {
            SynchronizationContext.SetSynchronizationContext(null);
            Assert.Null(context.FlowOfThread);

            SynchronizationContext.SetSynchronizationContext(new TurnSynchronizationContext(own, blocking: false));
            Assert.Same(ObjectRefWait.Turn, context.FlowOfThread);

            // Code of another actor that was called by this one.
            SynchronizationContext.SetSynchronizationContext(new TurnSynchronizationContext(other, blocking: false));
            Assert.Null(context.FlowOfThread);
            Assert.Null(new FakeTaskContext(null).FlowOfThread);

            var outer = TaskContext.SetOnThread(context);
            Assert.Same(ObjectRefWait.Thread, context.FlowOfThread);
            TaskContext.SetOnThread(outer);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Fact]
    public void AddWaits_BlockingWaits_AddsDependencies()
    {
        var context = new FakeTaskContext(null);
        var reference = new ObjectRef<int>(new FakeRuntimeCluster(), new(2));
        var marks = new object?[] { ObjectRefWait.Thread, ObjectRefWait.Turn, ObjectRefWait.Code, null, Task.CompletedTask };
        var waits = marks.Select(mark => context.BeginWait([reference], 1, mark)).ToArray();
        var dependencies = new List<ObjectDependency>();

        context.AddWaits(dependencies);

        Assert.Equal([waits[2], waits[0]], dependencies.Select(dependency => dependency.Since));
        Assert.Same(waits[1], context.TurnWait);
        waits[1].End(new CpuReacquisition());
        Assert.Same(waits[0], context.TurnWait);
    }

    private sealed class FakeTaskContext(MailboxTurnScheduler? turns) : TaskContext
    {
        public override Cluster Cluster => throw new NotSupportedException();

        public override ObjectId TaskId => new(1);

        protected override MailboxTurnScheduler? Turns => turns;
    }
}
