namespace Serve.Inference.Models;

/// <summary>How a model is, in Triton's words.</summary>
public enum RepositoryModelState
{
    /// <summary>It is unloaded, or could not be loaded.</summary>
    Unavailable,

    /// <summary>It is being loaded for the first time, or after it was unloaded.</summary>
    Loading,

    /// <summary>It is being unloaded.</summary>
    Unloading,

    /// <summary>It can be asked.</summary>
    Ready,
}
