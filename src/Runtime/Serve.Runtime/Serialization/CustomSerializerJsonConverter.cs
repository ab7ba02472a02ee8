using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Serialization;

/// <summary>JSON converter for values whose type has a serializer of the user: its output in Base64.</summary>
internal sealed class CustomSerializerJsonConverter(IReadOnlyDictionary<Type, ValueSerializer> serializers) : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => serializers.ContainsKey(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(CustomSerializerConverter<>).MakeGenericType(typeToConvert), serializers[typeToConvert])!;

    private sealed class CustomSerializerConverter<T>(ValueSerializer<T> serializer) : JsonConverter<T>
        where T : notnull
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => serializer.Deserialize(reader.GetBytesFromBase64());

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            var output = new ArrayBufferWriter<byte>();
            serializer.Serialize(value, output);
            writer.WriteBase64StringValue(output.WrittenSpan);
        }
    }
}
