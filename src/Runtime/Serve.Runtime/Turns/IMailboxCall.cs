namespace Serve.Runtime.Turns;

/// <summary>A call in an actor's mailbox; also the node of the linked list that stores it.</summary>
public interface IMailboxCall
{
    /// <summary>The next call in the mailbox; written by the mailbox only.</summary>
    IMailboxCall? Next { get; set; }

    /// <summary>Position among the calls of the same caller; calls that return to the mailbox are sorted by it.</summary>
    long Order { get; }

    /// <summary>Whether the call needs a dedicated thread.</summary>
    bool IsBlocking { get; }

    /// <summary>Starts the call as a turn. Must not throw. A call that continues after this method has returned counts as ongoing until it has ended.</summary>
    void Run();
}
