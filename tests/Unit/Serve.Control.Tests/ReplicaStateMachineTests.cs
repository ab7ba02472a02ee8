using System.Reflection;
using Serve.Control.Observed;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class ReplicaStateMachineTests
{
    [Fact]
    public void Next_Gone_IsFinal() =>
        Assert.All(Enum.GetValues<ReplicaPhaseTrigger>(), trigger => Assert.Null(ReplicaStateMachine.Next(ReplicaPhase.Gone, trigger)));

    [Fact]
    public void Transitions_EveryOtherPhase_LeadsToGone()
    {
        foreach (var phase in Enum.GetValues<ReplicaPhase>().Where(phase => phase != ReplicaPhase.Gone))
        {
            HashSet<ReplicaPhase> reached = [phase];
            while (ReplicaStateMachine.Transitions.Any(step => reached.Contains(step.Key.From) && reached.Add(step.Value)))
            {
            }

            Assert.Contains(ReplicaPhase.Gone, reached);
        }
    }

    [Fact]
    public void Next_StartedWhileStopping_IsIgnored() =>
        Assert.Null(ReplicaStateMachine.Next(ReplicaPhase.Stopping, ReplicaPhaseTrigger.Started));

    [Fact]
    public void DeploymentSpec_EverySetting_HasAnUpdateImpact() => Assert.All(
        typeof(DeploymentSpec).GetProperties(BindingFlags.Public | BindingFlags.Instance),
        property => Assert.NotNull(property.GetCustomAttribute<UpdateImpactAttribute>()));

    [Fact]
    public void Create_KeysInAnotherOrder_HasTheSameHash()
    {
        static string Settings(string json) => ControlPlaneSimulation.Revision("a", "v1", 1, spec => spec with
        {
            UserConfig = System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject(),
        }).Deployments["a"].Settings;
        Assert.Equal(Settings("""{"a":1,"b":{"c":2,"d":3}}"""), Settings("""{"b":{"d":3,"c":2},"a":1}"""));
        Assert.NotEqual(Settings("""{"a":1}"""), Settings("""{"a":2}"""));
    }

    [Fact]
    public void Create_EachImpact_ChangesItsHashOnly()
    {
        var before = ControlPlaneSimulation.Revision("a", "v1", 1, null).Deployments["a"];
        var reconfigured = ControlPlaneSimulation.Revision("a", "v1", 1, spec => spec with { HealthCheckPeriodS = 1 }).Deployments["a"];
        var restarted = ControlPlaneSimulation.Revision("a", "v1", 1, spec => spec with { Concurrency = ConcurrencyMode.Parallel }).Deployments["a"];
        var untouched = ControlPlaneSimulation.Revision("a", "v1", 1, spec => spec with { MaxQueuedRequests = 7, NumReplicas = 4 }).Deployments["a"];
        Assert.Equal((before.Version, false), (reconfigured.Version, reconfigured.Settings == before.Settings));
        Assert.Equal((false, before.Settings), (restarted.Version == before.Version, restarted.Settings));
        Assert.True(before.IsSameAs(untouched));
    }
}
