using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Runtime.Actors;

namespace Serve.Runtime.Serialization;

/// <summary>JSON converter for actor handles inside a value, by the actor's address.</summary>
internal sealed class ActorHandleJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => ValueTypeTraits.Is(typeToConvert, typeof(ActorHandle<>));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(ActorHandleJsonConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class ActorHandleJsonConverter<TActor> : JsonConverter<ActorHandle<TActor>>
        where TActor : class
    {
        public override ActorHandle<TActor> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            (ActorHandle<TActor>)ValueSerializationScope.Current.Source!.ResolveActor(JsonSerializer.Deserialize<ActorHandleDescriptor>(ref reader, ServeJson.Options), typeof(TActor));

        public override void Write(Utf8JsonWriter writer, ActorHandle<TActor> value, JsonSerializerOptions options)
        {
            var handle = (IActorHandleLink)value;
            ValueSerializationScope.Current.Add(handle);
            JsonSerializer.Serialize(writer, handle.Descriptor, ServeJson.Options);
        }
    }
}
