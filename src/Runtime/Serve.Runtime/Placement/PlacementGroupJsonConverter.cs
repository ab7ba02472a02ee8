using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Placement;

/// <summary>A placement group travels as what is known of it; the other side finds, or makes, what stands for it there.</summary>
internal sealed class PlacementGroupJsonConverter(Func<SerializedPlacementGroup, PlacementGroup> find) : JsonConverter<PlacementGroup>
{
    public override PlacementGroup Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        find(JsonSerializer.Deserialize<SerializedPlacementGroup>(ref reader, ServeJson.Options)!);

    public override void Write(Utf8JsonWriter writer, PlacementGroup value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, new SerializedPlacementGroup(value.Id, value.Name, value.Strategy, [.. value.Bundles]), ServeJson.Options);
}
