namespace Serve.Generators.Models;

/// <summary>Who gives a parameter its value.</summary>
internal enum ParameterValueSource
{
    Caller,
    Token,
    Cluster,
}
