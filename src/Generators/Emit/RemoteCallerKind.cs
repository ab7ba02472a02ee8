namespace Serve.Generators.Emit;

/// <summary>What a caller calls.</summary>
internal enum RemoteCallerKind
{
    Function,
    Constructor,
    Method,
}
