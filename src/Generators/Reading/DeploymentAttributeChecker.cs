using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Finds attributes that only the replicas of a deployment follow on methods that are called on a cluster, where they would be ignored.</summary>
internal static class DeploymentAttributeChecker
{
    public static void Check(IMethodSymbol method, string owner, List<DiagnosticInfo> findings)
    {
        if (BatchMethodReader.AttributeOf(method) is not null)
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.OfDeployments, method, owner, method.Name, "Batch"));
        if (MultiplexedMethodReader.IsOne(method))
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.OfDeployments, method, owner, method.Name, "Multiplexed"));
    }
}
