namespace Serve;

/// <summary>A deployment class, a config file or a REST body is wrong. Carries every error found, not only the first.</summary>
public sealed class DefinitionException : Exception
{
    /// <summary>Creates the exception from all errors found.</summary>
    /// <param name="errors">At least one; each names what it is about and what to do.</param>
    public DefinitionException(params IReadOnlyList<string> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>Every error found, in the order of the source.</summary>
    public IReadOnlyList<string> Errors { get; }
}
