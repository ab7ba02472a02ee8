using System.Text;
using System.Text.Json;

namespace Serve.Runtime.Methods;

/// <summary>Arguments from another process: elements of a UTF-8 JSON array, each deserialized directly to its parameter's type.</summary>
internal sealed class JsonCallArguments : ICallArguments
{
    private readonly ReadOnlyMemory<byte> _utf8;

    public JsonCallArguments(ReadOnlyMemory<byte> utf8)
    {
        _utf8 = utf8;
        Count = CountElements(utf8.Span);
    }

    public int Count { get; }

    public object?[] Fit(ActorMethodInvoker method, JsonSerializerOptions json)
    {
        var fitted = new object?[method.Parameters.Length];
        var reader = new Utf8JsonReader(_utf8.Span);
        if (Count > 0)
            reader.Read();
        for (var i = 0; i < fitted.Length; i++)
        {
            if (i < Count)
                reader.Read();
            fitted[i] = i < Count ? ReadElement(ref reader, method, i, json) : ParameterDefaultValue.GetValue(method.Parameters[i]);
        }

        return fitted;
    }

    private object? ReadElement(ref Utf8JsonReader reader, ActorMethodInvoker method, int index, JsonSerializerOptions json)
    {
        var from = (int)reader.TokenStartIndex;
        try
        {
            if (reader.TokenType == JsonTokenType.Null && !ParameterDefaultValue.AcceptsNull(method.Parameters[index].ParameterType))
                throw new JsonException("null is not valid for this type.");
            return JsonSerializer.Deserialize(ref reader, method.Parameters[index].ParameterType, json);
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            var rest = _utf8.Span[from..];
            var came = Encoding.UTF8.GetString(rest[..Math.Min(rest.Length, 60)]);
            throw ParameterDefaultValue.CreateMismatch(method, index, $"the JSON {(rest.Length > 60 ? came + "…" : came[..^1])}", thrown);
        }
    }

    private static int CountElements(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return 0;
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                throw new BadInputException("Expected the arguments of the call as a JSON array.");
            var count = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                reader.Skip();
                count++;
            }

            reader.Read();
            return count;
        }
        catch (JsonException thrown)
        {
            throw new BadInputException($"Expected the arguments of the call as a JSON array, but the text is not valid JSON: {thrown.Message}", thrown);
        }
    }
}
