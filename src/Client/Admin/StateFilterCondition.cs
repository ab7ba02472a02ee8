namespace Serve.Admin;

/// <summary>What the things that are listed must be.</summary>
/// <param name="Field">A field's name as the API has it, for instance <c>state</c>.</param>
/// <param name="Value">Its value; case does not matter.</param>
/// <param name="IsEqual">False: those of another value. Default true.</param>
public sealed record StateFilterCondition(string Field, string Value, bool IsEqual = true);
