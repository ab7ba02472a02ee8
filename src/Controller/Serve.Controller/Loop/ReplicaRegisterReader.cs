using System.Text.Json;
using Serve.Control.Observed;
using Serve.Nodes;
using Serve.Replicas;

namespace Serve.Controller.Loop;

/// <summary>Reads the replicas that an earlier controller has started from the registers of the nodes.</summary>
internal static class ReplicaRegisterReader
{
    /// <summary>Returns the replicas that run on a node.</summary>
    public static async Task<IReadOnlyList<ObservedReplica>> ReadAsync(INodeAgent agent, DateTimeOffset now, CancellationToken cancellationToken) =>
        [.. (await agent.ListActorsAsync(cancellationToken)).Select(entry => Read(agent.Id, entry, now)).OfType<ObservedReplica>()];

    private static ObservedReplica? Read(NodeId node, HostedActorEntry entry, DateTimeOffset now)
    {
        if (entry.Spec.Kind != ReplicaStartRequest.ActorKind || !ReplicaId.TryParse(entry.Spec.Id.Value, out var id)
            || JsonSerializer.Deserialize<ReplicaStartRequest>(entry.Spec.Payload.Span, ServeJson.Options) is not { } start)
            return null;
        var update = entry.Settings.IsEmpty ? null : JsonSerializer.Deserialize<ReplicaSettingsUpdate>(entry.Settings.Span, ServeJson.Options);
        var spec = update?.Spec ?? start.Spec;
        var host = entry.Address;
        return new()
        {
            Id = id,
            Node = node,
            Deployment = new() { Spec = spec, TypeName = start.TypeName, Version = start.DeploymentVersion, Settings = update?.SettingsVersion ?? start.SettingsVersion },
            Revision = start.Revision,
            Phase = ReplicaPhase.Running,
            Place = update?.Place ?? start.Place,
            Gang = start.Gang,
            Address = new(node, host.ProcessId, host.HttpAddress, host.Http2Address, host.CallAddress, host.Token),
            StartedAt = now,
            RunningSince = now,
            NextCheckAt = now + TimeSpan.FromSeconds(spec.HealthCheckPeriodS),
            Reason = "found running when the controller started",
        };
    }
}
