using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>A call of an actor, whatever it returns.</summary>
internal interface IPendingActorCall : IMailboxCall
{
    ObjectRef Reference { get; }

    ActorMethodPlan Plan { get; }

    ActorRecord Actor { get; }

    /// <summary>The task or call whose code made it; null for the program's.</summary>
    ObjectId? Parent { get; }

    /// <summary>The method, for people.</summary>
    string Title { get; }

    /// <summary>Whether code runs for it.</summary>
    bool IsRunning { get; }

    /// <summary>What is known of it.</summary>
    FinishedTaskRecord Describe();

    /// <summary>Has it fail, whether it runs or not.</summary>
    void Fail(Exception failure);

    /// <summary>The actor it ran on is gone; it goes back into the mailbox when it may be sent again, else it fails.</summary>
    /// <returns>Whether it is to go back.</returns>
    bool TryGoBack(Exception failure);

    /// <summary>Cancels it: what runs sees its token fire.</summary>
    void Cancel();
}
