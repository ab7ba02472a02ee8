namespace Serve.Inference.Models;

/// <summary>State of a model, as in Triton's model repository.</summary>
public enum RepositoryModelState
{
    /// <summary>Unloaded, or failed to load.</summary>
    Unavailable,

    /// <summary>Loading for the first time, or after it was unloaded.</summary>
    Loading,

    /// <summary>Unloading.</summary>
    Unloading,

    /// <summary>Ready for requests.</summary>
    Ready,
}
