namespace Serve.Runtime.Turns;

/// <summary>A call in an actor's mailbox, and at once the link of the list it lies in.</summary>
internal interface IMailboxCall
{
    /// <summary>The mailbox's own.</summary>
    IMailboxCall? Next { get; set; }

    /// <summary>Its place among the calls of its caller.</summary>
    long Order { get; }

    /// <summary>Whether it needs a dedicated thread.</summary>
    bool IsBlocking { get; }

    /// <summary>Starts it, as a turn. Must not throw. One that goes on after it has returned holds its mailbox meanwhile.</summary>
    void Run();
}
