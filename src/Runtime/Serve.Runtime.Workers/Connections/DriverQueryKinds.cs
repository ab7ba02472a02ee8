using System.Text.Json;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Queries of a worker to its driver, in addition to those named as members of <see cref="Cluster"/>. Bodies are JSON.</summary>
internal static class DriverQueryKinds
{
    public const string GetActor = "GetActor";
    public const string Terminate = "Terminate";
    public const string CreateGroup = "CreatePlacementGroup";
    public const string GroupReady = "PlacementGroupReady";
    public const string RemoveGroup = "RemovePlacementGroup";

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ServeJson.Options);

    public static T Read<T>(ReadOnlySpan<byte> body) => JsonSerializer.Deserialize<T>(body, ServeJson.Options)!;

    /// <summary>Finds an actor by name.</summary>
    /// <param name="Name">The name.</param>
    /// <param name="ClassName">The expected class.</param>
    /// <param name="Assembly">Simple name of the assembly of that class.</param>
    internal sealed record NamedActorQuery(string Name, string ClassName, string Assembly);

    /// <summary>Reserves a placement group.</summary>
    internal sealed record PlacementGroupQuery(Bundle[] Bundles, PlacementStrategy Strategy, string? Name);
}
