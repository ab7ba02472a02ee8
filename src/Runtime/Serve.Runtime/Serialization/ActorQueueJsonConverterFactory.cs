using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Serialization;

/// <summary>JSON converter for queues, by the handle of the queue's actor, which keeps the queue alive.</summary>
internal sealed class ActorQueueJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => ValueTypeTraits.Is(typeToConvert, typeof(ActorQueue<>));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(ActorQueueJsonConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class ActorQueueJsonConverter<T> : JsonConverter<ActorQueue<T>>
    {
        public override ActorQueue<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var parts = JsonSerializer.Deserialize<SerializedActorQueue<T>>(ref reader, options)!;
            return new(parts.Name, parts.MaxSize, parts.Actor);
        }

        public override void Write(Utf8JsonWriter writer, ActorQueue<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new SerializedActorQueue<T>(value.Name, value.MaxSize, value.Actor), options);
    }
}
