using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Placement;

/// <summary>JSON converter for placement groups, by id and description; the receiver finds or creates its own instance.</summary>
public sealed class PlacementGroupJsonConverter(Func<SerializedPlacementGroup, PlacementGroup> find) : JsonConverter<PlacementGroup>
{
    public override PlacementGroup Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        find(JsonSerializer.Deserialize<SerializedPlacementGroup>(ref reader, ServeJson.Options)!);

    public override void Write(Utf8JsonWriter writer, PlacementGroup value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, new SerializedPlacementGroup(value.Id, value.Name, value.Strategy, [.. value.Bundles]), ServeJson.Options);
}

/// <summary>Serialized form of a placement group.</summary>
public sealed record SerializedPlacementGroup(string Id, string? Name, PlacementStrategy Strategy, Bundle[] Bundles);
