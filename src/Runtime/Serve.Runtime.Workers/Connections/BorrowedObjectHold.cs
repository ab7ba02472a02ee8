namespace Serve.Runtime.Workers.Connections;

/// <summary>Borrow of an object that the driver owns, with the number of messages that carried a reference to it. When it becomes unreachable in this worker, the borrow is returned to the driver.</summary>
internal sealed class BorrowedObjectHold(BorrowedObjects held, ObjectId id)
{
    private int _count;

    ~BorrowedObjectHold() => held.QueueRelease(this, Volatile.Read(ref _count));

    public ObjectId Id => id;

    public void Add() => Interlocked.Increment(ref _count);
}
