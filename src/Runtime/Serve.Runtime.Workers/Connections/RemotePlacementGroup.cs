using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A placement group as code in a worker uses it: the driver reserves and releases it.</summary>
internal sealed class RemotePlacementGroup(DriverConnection session, string id, string? name, PlacementStrategy strategy, IReadOnlyList<Bundle> bundles) : PlacementGroup
{
    private readonly Lazy<Task> _ready = new(() => session.QueryAsync(DriverQueryKinds.GroupReady, DriverQueryKinds.Write(id)));

    public override string Id => id;

    public override string? Name => name;

    public override PlacementStrategy Strategy => strategy;

    public override IReadOnlyList<Bundle> Bundles => bundles;

    public override Task Ready => PlacementGroupWait.Begin(_ready.Value);

    public override string ToString() => name is null ? $"placement group {id}" : $"placement group '{name}'";

    public override async ValueTask DisposeAsync() => await session.QueryAsync(DriverQueryKinds.RemoveGroup, DriverQueryKinds.Write(id)).ConfigureAwait(false);
}
