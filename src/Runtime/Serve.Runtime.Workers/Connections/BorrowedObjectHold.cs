namespace Serve.Runtime.Workers.Connections;

/// <summary>That this worker holds an object of the head's: so many messages have brought a ref to it. The head is told when nobody here can reach it any more.</summary>
internal sealed class BorrowedObjectHold(BorrowedObjects held, ObjectId id)
{
    private int _count;

    ~BorrowedObjectHold() => held.QueueRelease(this, Volatile.Read(ref _count));

    public ObjectId Id => id;

    public void Add() => Interlocked.Increment(ref _count);
}
