namespace Serve.Rl;

/// <summary>An environment breaks rules of the environment API.</summary>
public sealed class EnvCheckException : Exception
{
    internal EnvCheckException(string environment, IReadOnlyList<string> problems)
        : base($"Environment {environment} breaks {problems.Count} rule(s):\n{string.Join('\n', problems.Select(problem => $"- {problem}"))}") => Problems = problems;

    /// <summary>Gets the broken rules.</summary>
    public IReadOnlyList<string> Problems { get; }
}
