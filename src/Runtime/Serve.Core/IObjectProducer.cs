namespace Serve;

/// <summary>What is to make an object: a task, or a call of an actor. Hangs on the ref until that is ready.</summary>
public interface IObjectProducer
{
    /// <summary>For people: <c>task Demo.Sum (000…1)</c>.</summary>
    string Label { get; }

    /// <summary>Adds all that it cannot go on without at this moment: its arguments and resources before it starts, its turn, what its code waits for.</summary>
    void AddDependencies(ICollection<ObjectDependency> needs);

    /// <summary>Has the object fail; what has not started never does.</summary>
    void Fail(Exception failure);

    /// <summary>Cancels it; the ref fails at once with an <see cref="OperationCanceledException"/>.</summary>
    /// <param name="force">Kills the worker that runs it.</param>
    /// <param name="recursive">Cancels what it has started as well.</param>
    void Cancel(bool force, bool recursive);
}
