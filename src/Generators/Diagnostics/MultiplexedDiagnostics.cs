using Microsoft.CodeAnalysis;
using static Serve.Generators.Diagnostics.DeploymentDiagnostics;

namespace Serve.Generators.Diagnostics;

/// <summary>Diagnostics of multiplexed models.</summary>
internal static class MultiplexedDiagnostics
{
    public static readonly DiagnosticDescriptor Shape = Rule(
        "SERVE030", "Invalid signature of a [Multiplexed] method",
        "'{0}.{1}' has [Multiplexed] and must be declared as Task<TModel> {1}(string modelId, CancellationToken stop); ValueTask<TModel> and TModel are also possible, and the token is optional");

    public static readonly DiagnosticDescriptor Limit = Rule(
        "SERVE031", "Invalid MaxModelsPerReplica", "'{0}.{1}': MaxModelsPerReplica must be at least 1, or -1 for no limit, but was {2}");

    public static readonly DiagnosticDescriptor NotLoaded = Rule("SERVE032", "No [Multiplexed] method loads the requested model type", "'{0}' takes an IMultiplexed<{1}>, but {2}");

    public static readonly DiagnosticDescriptor Twice = Rule(
        "SERVE033", "Two [Multiplexed] methods load the same model type", "'{0}.{1}' and '{0}.{3}' both load {2}, so IMultiplexed<{2}> would be ambiguous");

    public static readonly IReadOnlyList<DiagnosticDescriptor> All = [Shape, Limit, NotLoaded, Twice];
}
