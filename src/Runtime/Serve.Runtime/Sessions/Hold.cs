namespace Serve.Runtime.Sessions;

/// <summary>That this worker holds an object of the head's: so many messages have brought a ref to it. The head is told when nobody here can reach it any more.</summary>
internal sealed class Hold(HeldRefs held, ObjectId id)
{
    private int count;

    ~Hold() => held.Forget(this, Volatile.Read(ref count));

    public ObjectId Id => id;

    public void Add() => Interlocked.Increment(ref count);
}
