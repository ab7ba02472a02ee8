namespace Serve;

/// <summary>Result of one replica of a broadcast call.</summary>
/// <typeparam name="T">The result's type.</typeparam>
public sealed class ReplicaResult<T>
{
    private readonly T _value = default!;

    /// <summary>Creates a successful result.</summary>
    /// <param name="replicaId">The replica.</param>
    /// <param name="value">The method's result.</param>
    public ReplicaResult(string replicaId, T value) => (ReplicaId, _value) = (replicaId, value);

    /// <summary>Creates a failed result.</summary>
    /// <param name="replicaId">The replica.</param>
    /// <param name="error">The error.</param>
    public ReplicaResult(string replicaId, ServeException error) => (ReplicaId, Error) = (replicaId, error);

    /// <summary>Gets the replica's id, <see cref="Serve.ReplicaId"/> as text.</summary>
    public string ReplicaId { get; }

    /// <summary>Gets the replica's error; null if the call succeeded.</summary>
    public ServeException? Error { get; }

    /// <summary>Gets the method's result. Throws <see cref="Error"/> if the call failed.</summary>
    public T Value => Error is null ? _value : throw Error;
}
