using System.Text.Json.Nodes;
using Serve.Admin;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Deploys the sample with the settings that the tests need.</summary>
internal static class PatientNodeExtensions
{
    public static async Task DeployAsync(
        this TestNodeProcess node, PatientPackageFixture package, int replicas, string name = "patient", IsolationMode? isolation = null, JsonObject? args = null, ApplicationStatus? until = ApplicationStatus.Running)
    {
        await node.DeployAsync(package.Zip, Config(replicas, name, isolation, args), until);
        if (until is ApplicationStatus.Running)
            await node.WaitForReplicasAsync(replicas, name: name);
    }

    public static int Pid(this IReadOnlyList<ReplicaDetails> replicas) => replicas.Select(replica => replica.Pid!.Value).Distinct().Single();

    private static ApplicationConfig Config(int replicas, string name, IsolationMode? isolation, JsonObject? args) => new()
    {
        Name = name,
        RoutePrefix = "/" + name,
        ImportPath = "",
        Isolation = isolation,
        Args = args,
        Deployments = [new() { Name = "Patient", NumReplicas = replicas, GracefulShutdownTimeoutS = 10 }],
    };
}
