namespace Serve;

/// <summary>What a <see cref="BatchResult{T}"/> is.</summary>
public enum BatchResultKind
{
    /// <summary>Nothing, this time.</summary>
    None,

    /// <summary>A value.</summary>
    Value,

    /// <summary>An exception.</summary>
    Error,

    /// <summary>The end of a caller's stream.</summary>
    End,
}
