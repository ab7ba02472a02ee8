using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Serialization;

/// <summary>JSON converter for unmanaged arrays inside a value: small ones in Base64, larger ones stored next to the JSON, which contains their position.</summary>
internal sealed class UnmanagedArrayJsonConverterFactory : JsonConverterFactory
{
    private const int BesideFrom = 1024;

    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsArray && ValueTypeTraits.IsUnmanaged(typeToConvert.GetElementType()!);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(UnmanagedArrayJsonConverter<>).MakeGenericType(typeToConvert))!;

    private sealed class UnmanagedArrayJsonConverter<TArray> : JsonConverter<TArray>
        where TArray : class
    {
        private readonly Type _element = typeof(TArray).GetElementType()!;
        private readonly int _elementSize = ValueTypeTraits.SizeOf(typeof(TArray).GetElementType()!);

        public override TArray? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var source = ValueSerializationScope.Current.Source!;
            if (reader.TokenType == JsonTokenType.Number)
                return (TArray?)source.Codec.Decode(((CompositeEncodedObject)source).Items[reader.GetInt32()], typeToConvert);
            var bytes = reader.GetBytesFromBase64();
            var array = Array.CreateInstance(_element, bytes.Length / _elementSize);
            bytes.CopyTo(Bytes(array));
            return (TArray)(object)array;
        }

        public override void Write(Utf8JsonWriter writer, TArray value, JsonSerializerOptions options)
        {
            var array = (Array)(object)value;
            if (array.Rank == 1 && array.LongLength * _elementSize < BesideFrom)
                writer.WriteBase64StringValue(Bytes(array));
            else
                writer.WriteNumberValue(ValueSerializationScope.Current.Add(ValueSerializationScope.Current.Codec.EncodePart(typeof(TArray), array)));
        }

        private Span<byte> Bytes(Array array) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(array), checked(array.Length * _elementSize));
    }
}
