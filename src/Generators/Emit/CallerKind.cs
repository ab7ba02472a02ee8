namespace Serve.Generators.Emit;

/// <summary>What a caller calls.</summary>
internal enum CallerKind
{
    Function,
    Constructor,
    Method,
}
