using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Serialization;

/// <summary>JSON converter for object references inside a value, by id.</summary>
internal sealed class ObjectRefJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => ValueTypeTraits.Is(typeToConvert, typeof(ObjectRef<>));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(ObjectRefJsonConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class ObjectRefJsonConverter<T> : JsonConverter<ObjectRef<T>>
    {
        public override ObjectRef<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            (ObjectRef<T>)ValueSerializationScope.Current.Source!.Resolve(reader.GetInt64(), typeof(T));

        public override void Write(Utf8JsonWriter writer, ObjectRef<T> value, JsonSerializerOptions options)
        {
            ValueSerializationScope.Current.Add(value);
            writer.WriteNumberValue(value.Id.Number);
        }
    }
}
