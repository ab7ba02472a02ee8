namespace Serve;

/// <summary>A model cannot be loaded or run here: the reason is the inference runtime's own.</summary>
/// <param name="message">What failed, with which model.</param>
/// <param name="inner">Where it came from.</param>
public sealed class InferenceException(string message, Exception? inner = null)
    : ServeException(ErrorReason.InferenceFailed, 500, isRetrySafe: false, message, inner);
