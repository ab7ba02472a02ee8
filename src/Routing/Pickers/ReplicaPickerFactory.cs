using System.Text.Json.Nodes;
using Serve.Routes;

namespace Serve.Routing.Pickers;

/// <summary>Creates the picker of a deployment's rule.</summary>
internal static class ReplicaPickerFactory
{
    /// <summary>Creates a picker.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="replicas">The replicas.</param>
    /// <param name="previous">The picker of the previous replicas; null for none.</param>
    /// <param name="userClass">Creates pickers of the rule's class; null for the built-in policy.</param>
    public static ReplicaPicker Create(RoutingRule rule, RoutableReplica[] replicas, ReplicaPicker? previous, Func<ReplicaPickerContext, ReplicaPicker>? userClass) =>
        userClass?.Invoke(new(replicas, rule.Kwargs is null ? [] : JsonNode.Parse(rule.Kwargs)!.AsObject(), previous)) ?? rule.Policy switch
        {
            RoutingPolicy.PowerOfTwo => new PowerOfTwoChoicesPicker(replicas),
            RoutingPolicy.LeastOngoing => new LeastOngoingPicker(replicas),
            RoutingPolicy.RoundRobin => new RoundRobinPicker(replicas, previous as RoundRobinPicker),
            RoutingPolicy.ConsistentHash => new ConsistentHashPicker(replicas),
            RoutingPolicy.PrefixAffinity => new PrefixAffinityPicker(replicas, previous as PrefixAffinityPicker),
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule.Policy, "Not a routing policy."),
        };
}
