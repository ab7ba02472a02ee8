using Serve.Runtime.Sessions;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;
using Serve.Runtime.Wire;

namespace Serve.Runtime.CoreActors;

/// <summary>A call of an actor in its worker, or the order to make or to end it: a turn of the actor.</summary>
internal sealed class WorkerActorRun(WorkerSession session, Run message, WorkerActor actor) : WorkerRun(session, message), IMailboxCall
{
    private MethodPlan? plan;

    IMailboxCall? IMailboxCall.Next { get; set; }

    public long Order => Message.Id;

    public override MailboxTurns? Turns => plan?.Turns;

    public bool IsBlocking => plan is { IsBlocking: true };

    /// <summary>Puts it into its mailbox; runs nothing here.</summary>
    public void Post()
    {
        if (Message.Method is WireActors.Construct or WireActors.End)
        {
            _ = OrderAsync();
            return;
        }

        try
        {
            plan = actor.Mailboxes.Plan(actor.Type, Message.Method, Message.ConcurrencyGroup.Length == 0 ? null : Message.ConcurrencyGroup);
            plan.Turns.Post(this);
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
        var context = new WorkerContext(Session, this);
        var before = TaskContext.SetOnThread(context);
        try
        {
            var function = actor.FunctionOf(Message.Method, Message.Arguments.Count);
            var arguments = function.Read(Message, Session.Values);
            if (function.IsAsync)
                TaskContext.SetFlowing(context);
            var pending = function.Method.InvokeAsync(actor.Local.Instance.Target, arguments, function.TakesToken || Message.Stream ? Token : CancellationToken.None);
            if (pending.IsCompletedSuccessfully && !Message.Stream)
                Succeed(function, pending.Result);
            else
                context.GoesOn(FinishAsync(pending, function));
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

    // An actor's turn lends nothing while it waits.
    public override void BeginWait()
    {
    }

    public override void EndWait()
    {
    }

    protected override IAsyncEnumerable<object?> InTurns(IAsyncEnumerable<object?> items) => plan!.Turns.Wrap(items, plan.IsBlocking);

    private async Task FinishAsync(ValueTask<object?> pending, SessionFunction function)
    {
        var turns = plan!.Turns;
        turns.Hold();
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
            turns.Leave();
        }
    }

    private async Task OrderAsync()
    {
        if (!TryBegin())
            return;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await (Message.Method == WireActors.Construct ? actor.MakeAsync(Message, Token) : actor.EndAsync()).ConfigureAwait(false);
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
