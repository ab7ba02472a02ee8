using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>A call of an actor, independent of its result type.</summary>
internal interface IPendingActorCall : IMailboxCall
{
    ObjectRef Reference { get; }

    ActorMethodPlan Plan { get; }

    ActorCallQueue Queue { get; }

    /// <summary>The task or call that made this call; null for the program.</summary>
    ObjectId? Parent { get; }

    /// <summary>Display name of the method.</summary>
    string Title { get; }

    /// <summary>Whether the call is running.</summary>
    bool IsRunning { get; }

    /// <summary>Describes the call for the state API.</summary>
    FinishedTaskRecord Describe();

    /// <summary>Fails the call, whether it is waiting or running.</summary>
    void Fail(Exception failure);

    /// <summary>Prepares a running call whose incarnation has ended for a retry, or fails it if no retry is left.</summary>
    /// <returns>True if the caller must return the call to the mailbox.</returns>
    bool TryPrepareRetry(Exception failure);

    /// <summary>Cancels the call; running code observes its token.</summary>
    void Cancel();
}
