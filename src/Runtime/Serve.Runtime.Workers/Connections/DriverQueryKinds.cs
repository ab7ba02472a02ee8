using System.Text.Json;

namespace Serve.Runtime.Workers.Connections;

/// <summary>What a worker asks of its head by name, besides what <see cref="Cluster"/> tells of its state. Bodies are JSON.</summary>
internal static class DriverQueryKinds
{
    public const string GetActor = "GetActor";
    public const string Terminate = "Terminate";
    public const string CreateGroup = "CreatePlacementGroup";
    public const string GroupReady = "PlacementGroupReady";
    public const string RemoveGroup = "RemovePlacementGroup";

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ServeJson.Options);

    public static T Read<T>(ReadOnlySpan<byte> body) => JsonSerializer.Deserialize<T>(body, ServeJson.Options)!;

    /// <summary>Asks for an actor by its name.</summary>
    /// <param name="Name">The name.</param>
    /// <param name="ClassName">The class it is to be of.</param>
    /// <param name="Assembly">The simple name of that class's assembly.</param>
    internal sealed record NamedActorQuery(string Name, string ClassName, string Assembly);

    /// <summary>Asks for a placement group.</summary>
    internal sealed record PlacementGroupQuery(Bundle[] Bundles, PlacementStrategy Strategy, string? Name);
}
