using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Runtime.Parallel;

namespace Serve.Runtime.Serialization;

/// <summary>A queue travels with the handle of its actor, so that it lives as long as anyone anywhere holds it.</summary>
internal sealed class JsonQueueConverter : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => ValueTypes.Is(typeToConvert, typeof(ActorQueue<>));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class Of<T> : JsonConverter<ActorQueue<T>>
    {
        public override ActorQueue<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var parts = JsonSerializer.Deserialize<QueueParts<T>>(ref reader, options)!;
            return new(parts.Name, parts.MaxSize, parts.Actor);
        }

        public override void Write(Utf8JsonWriter writer, ActorQueue<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new QueueParts<T>(value.Name, value.MaxSize, value.Actor), options);
    }
}
