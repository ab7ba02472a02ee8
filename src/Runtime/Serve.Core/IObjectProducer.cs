namespace Serve;

/// <summary>Producer of an object: a task, an actor call or a placement group. Attached to the reference until that is ready.</summary>
public interface IObjectProducer
{
    /// <summary>Display name: <c>task Demo.Sum (000…1)</c>.</summary>
    string Label { get; }

    /// <summary>Adds everything that the producer cannot continue without at the moment: its arguments and resources before it starts, its turn, what its code waits for.</summary>
    void AddDependencies(ICollection<ObjectDependency> dependencies);

    /// <summary>Fails the object; a producer that has not started never does.</summary>
    void Fail(Exception failure);

    /// <summary>Cancels the producer; the reference fails immediately with an <see cref="OperationCanceledException"/>.</summary>
    /// <param name="force">Whether to kill the worker that runs it.</param>
    /// <param name="recursive">Whether to cancel its children too.</param>
    void Cancel(bool force, bool recursive);
}

/// <summary>Dependency without which the producer of an object cannot continue.</summary>
/// <param name="Target">Object that must become ready first.</param>
/// <param name="Since">Identity of the dependency; equal only for as long as it exists without interruption.</param>
/// <param name="Reason">Human-readable reason, after the name of the producer; null for "waits for" the target.</param>
public readonly record struct ObjectDependency(ObjectRef Target, object Since, string? Reason = null)
{
    /// <summary>Adds the pending objects of a wait if each of them is necessary to end it.</summary>
    /// <param name="dependencies">List to add to.</param>
    /// <param name="since">Identity of the wait.</param>
    /// <param name="references">Awaited objects.</param>
    /// <param name="count">Number of objects that must be ready.</param>
    /// <param name="untilFault">Whether one failed object ends the wait.</param>
    public static void AddRequired(ICollection<ObjectDependency> dependencies, object since, IReadOnlyList<ObjectRef> references, int count, bool untilFault = false)
    {
        if (count < references.Count)
            return;
        var pending = references.Where(static reference => !reference.IsReady).ToArray();
        if (untilFault && (pending.Length > 1 || references.Any(static reference => reference.IsFaulted)))
            return;
        foreach (var reference in pending)
            dependencies.Add(new(reference, since));
    }
}
