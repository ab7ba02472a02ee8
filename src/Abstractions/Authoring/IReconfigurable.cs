namespace Serve;

/// <summary>
/// A deployment that takes its <c>user_config</c> while it runs. A public method <c>Reconfigure</c> of the same shape works
/// without the interface; it may also return a <see cref="Task"/> or <see cref="ValueTask"/>.
/// </summary>
/// <typeparam name="TConfig">What <c>user_config</c> is read into, by JSON.</typeparam>
public interface IReconfigurable<in TConfig>
{
    /// <summary>Called right after the constructor and whenever <c>user_config</c> changes, without a restart.</summary>
    /// <param name="config">The whole of <c>user_config</c>, after merging.</param>
    void Reconfigure(TConfig config);
}
