using Serve.Runtime.Actors;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Invocation of an actor's call, or of its creation or disposal, in its worker: a turn of the actor.</summary>
internal sealed class ActorCallInvocation(DriverConnection session, Run message, WorkerHostedActor actor) : TaskInvocation(session, message), IMailboxCall
{
    private ActorMethodPlan? _plan;

    IMailboxCall? IMailboxCall.Next { get; set; }

    public long Order => Message.Id;

    public override MailboxTurnScheduler? Turns => _plan?.Turns;

    public bool IsBlocking => _plan is { IsBlocking: true };

    /// <summary>Enqueues it into its mailbox; runs no user code on this thread.</summary>
    public void Post()
    {
        if (Message.Method is ActorLifecycleCommand.Construct or ActorLifecycleCommand.End)
        {
            _ = OrderAsync();
            return;
        }

        try
        {
            _plan = actor.Mailboxes.Plan(actor.Type, Message.Method, Message.ConcurrencyGroup.Length == 0 ? null : Message.ConcurrencyGroup);
            _plan.Turns.Post(this);
        }
        catch (Exception thrown)
        {
            Refuse(thrown);
        }
    }

    public void Run()
    {
        if (!TryBegin())
            return;
        var context = new WorkerTaskContext(Session, this);
        var before = TaskContext.SetOnThread(context);
        try
        {
            var function = actor.FunctionOf(Message.Method, Message.Arguments.Count);
            var arguments = ReadArguments(function);
            if (function.IsAsync)
                TaskContext.SetFlowing(context);
            var pending = function.Method.InvokeAsync(actor.Local.Instance.Target, arguments, function.TakesToken || Message.Stream ? Token : CancellationToken.None, context);
            if (pending.IsCompletedSuccessfully && !Message.Stream)
                Succeed(function, pending.Result);
            else
                _ = FinishAsync(pending, function);
        }
        catch (Exception thrown)
        {
            Fail(thrown);
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }
    }

    // The turn of an actor releases no resources while it waits.
    public override void BeginWait()
    {
    }

    public override void EndWait()
    {
    }

    protected override IAsyncEnumerable<object?> InTurns(IAsyncEnumerable<object?> items) => _plan!.Turns.Wrap(items, _plan.IsBlocking);

    private async Task FinishAsync(ValueTask<object?> pending, BoundRemoteFunction function)
    {
        var turns = _plan!.Turns;
        turns.BeginOngoing();
        var isInside = actor.Local.Context.Gate.TryEnter();
        try
        {
            var result = await pending.ConfigureAwait(false);
            if (Message.Stream)
                await StreamAsync(function, result).ConfigureAwait(false);
            else
                Succeed(function, result);
        }
        catch (Exception thrown)
        {
            Fail(thrown);
        }
        finally
        {
            if (isInside)
                actor.Local.Context.Gate.Exit();
            turns.EndOngoing();
        }
    }

    private async Task OrderAsync()
    {
        if (!TryBegin())
            return;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await (Message.Method == ActorLifecycleCommand.Construct ? actor.MakeAsync(Message, Token) : actor.EndAsync()).ConfigureAwait(false);
            Answer(new() { Id = Message.Id });
        }
        catch (Exception thrown)
        {
            Fail(thrown);
        }
    }

    private void Refuse(Exception thrown)
    {
        if (TryBegin())
            Fail(thrown);
    }
}
