using System.Text.Json;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes all other types as JSON. Large unmanaged arrays inside a value are stored next to the JSON, uncompressed.</summary>
internal sealed class JsonValueEncoder : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var type = actual ?? declared;
        return ValueSerializationScope.Run(codec, null, (Type: type, Declared: declared, Actual: actual, Value: value), static (scope, state) =>
        {
            var utf8 = JsonSerializer.SerializeToUtf8Bytes(state.Value, state.Type, scope.Codec.Json);
            if (scope.Arrays.Count == 0)
                return scope.Codec.Store(new(EncodedValueFormat.Json, state.Declared, state.Actual), utf8, scope.References);
            EncodedObject text = new InlineEncodedObject(scope.Codec, new(EncodedValueFormat.Json, state.Type), utf8);
            return new CompositeEncodedObject(scope.Codec, new(EncodedValueFormat.JsonAndArrays, state.Declared, state.Actual), [text, .. scope.Arrays]) { References = scope.References };
        });
    }

    public override object? Decode(EncodedObject stored, Type type) => ValueSerializationScope.Run(stored.Codec, stored, type, static (scope, type) =>
    {
        using var view = scope.Source!.Open();
        return JsonSerializer.Deserialize(view.Span, type, scope.Codec.Json);
    });
}
