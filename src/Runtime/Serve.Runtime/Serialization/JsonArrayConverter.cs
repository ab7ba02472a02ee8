using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve.Runtime.Serialization;

/// <summary>An unmanaged array inside a value: small ones in Base64, larger ones beside the JSON, which then has their place.</summary>
internal sealed class JsonArrayConverter : JsonConverterFactory
{
    private const int BesideFrom = 1024;

    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsArray && ValueTypes.IsUnmanaged(typeToConvert.GetElementType()!);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert))!;

    private sealed class Of<TArray> : JsonConverter<TArray>
        where TArray : class
    {
        private readonly Type element = typeof(TArray).GetElementType()!;
        private readonly int elementSize = ValueTypes.SizeOf(typeof(TArray).GetElementType()!);

        public override TArray? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var source = ValueScope.Current.Source!;
            if (reader.TokenType == JsonTokenType.Number)
                return (TArray?)source.Codec.Decode(((CompositeObject)source).Items[reader.GetInt32()], typeToConvert);
            var bytes = reader.GetBytesFromBase64();
            var array = Array.CreateInstance(element, bytes.Length / elementSize);
            bytes.CopyTo(Bytes(array));
            return (TArray)(object)array;
        }

        public override void Write(Utf8JsonWriter writer, TArray value, JsonSerializerOptions options)
        {
            var array = (Array)(object)value;
            if (array.Rank == 1 && array.LongLength * elementSize < BesideFrom)
                writer.WriteBase64StringValue(Bytes(array));
            else
                writer.WriteNumberValue(ValueScope.Current.Add(ValueScope.Current.Codec.EncodePart(typeof(TArray), array)));
        }

        private Span<byte> Bytes(Array array) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(array), checked(array.Length * elementSize));
    }
}
