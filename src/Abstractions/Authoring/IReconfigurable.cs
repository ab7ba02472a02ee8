namespace Serve;

/// <summary>
/// A deployment that accepts changes of its <c>user_config</c> at run time. A public method <c>Reconfigure</c> with the same signature works
/// without the interface, and can also return a <see cref="Task"/> or <see cref="ValueTask"/>.
/// </summary>
/// <typeparam name="TConfig">The type that <c>user_config</c> is deserialized to, from JSON.</typeparam>
public interface IReconfigurable<in TConfig>
{
    /// <summary>Called after the constructor and on each change of <c>user_config</c>, without a restart.</summary>
    /// <param name="config">The complete <c>user_config</c>, after merging.</param>
    void Reconfigure(TConfig config);
}
