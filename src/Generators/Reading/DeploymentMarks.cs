using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Finds attributes that only the replicas of a deployment follow on methods that are called on a cluster, where they would be ignored.</summary>
internal static class DeploymentMarks
{
    public static void Check(IMethodSymbol method, string owner, List<Finding> findings)
    {
        if (BatchReader.AttributeOf(method) is not null)
            findings.Add(Finding.Of(RemoteRules.OfDeployments, method, owner, method.Name, "Batch"));
        if (MultiplexedMethods.IsOne(method))
            findings.Add(Finding.Of(RemoteRules.OfDeployments, method, owner, method.Name, "Multiplexed"));
    }
}
