using Microsoft.CodeAnalysis;
using static Serve.Generators.Diagnostics.DeploymentDiagnostics;

namespace Serve.Generators.Diagnostics;

/// <summary>What can be wrong with multiplexed models.</summary>
internal static class MultiplexedDiagnostics
{
    public static readonly DiagnosticDescriptor Shape = Rule(
        "SERVE030", "A [Multiplexed] method loads a model by its id",
        "'{0}.{1}' is [Multiplexed] and must be Task<TModel> {1}(string modelId, CancellationToken stop) (or ValueTask<TModel>, or TModel; the token may be left out)");

    public static readonly DiagnosticDescriptor Limit = Rule(
        "SERVE031", "A replica keeps at least one model", "'{0}.{1}': MaxModelsPerReplica is {2}; it is at least 1, or -1 for no limit");

    public static readonly DiagnosticDescriptor NobodyLoads = Rule(
        "SERVE032", "What a class asks for models of, it loads",
        "'{0}' takes an IMultiplexed<{1}>, but {2}");

    public static readonly DiagnosticDescriptor Twice = Rule(
        "SERVE033", "The [Multiplexed] methods of a class load models of different types",
        "'{0}.{1}' loads {2}, as '{0}.{3}' does: an IMultiplexed<{2}> could not tell which is meant");

    public static readonly IReadOnlyList<DiagnosticDescriptor> All = [Shape, Limit, NobodyLoads, Twice];
}
