using System.Collections.Immutable;
using System.Text.Json;
using Serve.Control;
using Serve.Control.Observed;
using Serve.Nodes;
using Serve.Replicas;

namespace Serve.Controller.Loop;

/// <summary>Creates the actor specs of replicas.</summary>
internal static class ReplicaActorSpecFactory
{
    /// <summary>Creates the spec of a replica that is to start.</summary>
    public static ActorSpec Create(ControlAction.StartReplica start)
    {
        var (revision, spec) = (start.Revision, start.Deployment.Spec);
        var payload = new ReplicaStartRequest
        {
            ReplicaId = start.Replica.ToString(),
            Spec = spec,
            AssemblyFile = revision.Package.AssemblyFile,
            PackageHash = revision.Package.Hash,
            Revision = revision.Number,
            DeploymentVersion = start.Deployment.Version,
            SettingsVersion = start.Deployment.Settings,
            TypeName = start.Deployment.TypeName,
            Args = revision.Config.Args,
            Place = start.Place,
            Gang = start.Gang,
            Isolation = revision.Isolation,
            DeploymentsByType = revision.Package.Deployments
                .GroupBy(definition => definition.TypeName)
                .ToImmutableSortedDictionary(group => group.Key, group => group.First().Options.Name!, StringComparer.Ordinal),
        };
        return new()
        {
            Id = new(start.Replica.ToString()),
            Kind = ReplicaStartRequest.ActorKind,
            Payload = JsonSerializer.SerializeToUtf8Bytes(payload, ServeJson.Options),
            Resources = new() { Units = ResourceAmounts.Of(spec.Resources).Units },
            Placement = Placement(start),
            Concurrency = spec.Concurrency,
            MaxOngoing = spec.MaxOngoingRequests,
        };
    }

    // By code as well as by application, so that the process of old code exits with its last replica and new code cannot end it; unless its loaded models are to be shared.
    private static WorkerPlacement Placement(ControlAction.StartReplica start) => start.Revision.Isolation switch
    {
        IsolationMode.None => WorkerPlacement.InProcess,
        IsolationMode.Application when start.Revision.Config.ReuseWorker is true => new WorkerPlacement.Shared(start.Replica.Deployment.Application),
        IsolationMode.Application => new WorkerPlacement.Shared(
            $"{start.Replica.Deployment.Application}:{start.Revision.Package.Hash[..Math.Min(12, start.Revision.Package.Hash.Length)]}"),
        IsolationMode.Replica => new WorkerPlacement.Own(start.Replica.ToString()),
        var unknown => throw new InvalidOperationException($"Unknown isolation mode {unknown}."),
    };
}
