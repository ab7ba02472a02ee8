using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Finds attributes of deployment methods on remote functions and actors, where they have no effect.</summary>
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
