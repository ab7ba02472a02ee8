using Serve.Control;

namespace Serve.Controller;

/// <summary>Where the desired state survives. Called by the control loop alone, and quick: one small transaction a call.</summary>
public interface IClusterStore : IDisposable
{
    /// <summary>How often the state was opened, this time included.</summary>
    int Epoch { get; }

    /// <summary>Every application stored.</summary>
    /// <exception cref="StateStoreException">It cannot be read.</exception>
    IReadOnlyList<DesiredApplication> Load();

    /// <summary>Stores applications and removes others, all or nothing; returns once it is safe from a crash.</summary>
    /// <param name="saved">Added or replaced.</param>
    /// <param name="removed">Names.</param>
    /// <exception cref="StateStoreException">It cannot be written; nothing changed.</exception>
    void Save(IReadOnlyCollection<DesiredApplication> saved, IReadOnlyCollection<string> removed);
}
