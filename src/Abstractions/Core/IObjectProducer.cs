namespace Serve;

/// <summary>What is to make an object: a task, or a call of an actor. Hangs on the ref until that is ready.</summary>
internal interface IObjectProducer
{
    /// <summary>For people: <c>task Demo.Sum (000…1)</c>.</summary>
    string Label { get; }

    /// <summary>Whether it cannot go on at this moment; false costs nothing to ask.</summary>
    bool IsBlocked { get; }

    /// <summary>Adds the refs it cannot go on without, all of them: its arguments before it starts, what its code waits for, the call that it is queued behind.</summary>
    void AddBlockers(ICollection<ObjectRef> references);

    /// <summary>Cancels it; the ref fails at once with an <see cref="OperationCanceledException"/>.</summary>
    /// <param name="force">Kills the worker that runs it.</param>
    /// <param name="recursive">Cancels what it has started as well.</param>
    void Cancel(bool force, bool recursive);
}
