using System.Text;
using System.Text.Json;
using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>Reads a tensor's elements from JSON straight into an array of their type, nested as the shape is or flat.</summary>
internal static class JsonTensorReader
{
    private const int LongestShown = 40;

    /// <summary>Reads the value that follows.</summary>
    /// <exception cref="BadInputException">It is not what the head says; names the tensor.</exception>
    public static Tensor Read(ref Utf8JsonReader json, InputTensorHeader head, int jsonLength, InferenceRequest owner) => head.RequireType() switch
    {
        TensorType.Bool => Read<bool, JsonElementReaders.OfBool>(ref json, head, jsonLength, owner),
        TensorType.UInt8 => Read<byte, JsonElementReaders.OfUInt8>(ref json, head, jsonLength, owner),
        TensorType.UInt16 => Read<ushort, JsonElementReaders.OfUInt16>(ref json, head, jsonLength, owner),
        TensorType.UInt32 => Read<uint, JsonElementReaders.OfUInt32>(ref json, head, jsonLength, owner),
        TensorType.UInt64 => Read<ulong, JsonElementReaders.OfUInt64>(ref json, head, jsonLength, owner),
        TensorType.Int8 => Read<sbyte, JsonElementReaders.OfInt8>(ref json, head, jsonLength, owner),
        TensorType.Int16 => Read<short, JsonElementReaders.OfInt16>(ref json, head, jsonLength, owner),
        TensorType.Int32 => Read<int, JsonElementReaders.OfInt32>(ref json, head, jsonLength, owner),
        TensorType.Int64 => Read<long, JsonElementReaders.OfInt64>(ref json, head, jsonLength, owner),
        TensorType.Float16 => Read<Half, JsonElementReaders.OfFloat16>(ref json, head, jsonLength, owner),
        TensorType.BFloat16 => Read<BFloat16, JsonElementReaders.OfBFloat16>(ref json, head, jsonLength, owner),
        TensorType.Float32 => Read<float, JsonElementReaders.OfFloat32>(ref json, head, jsonLength, owner),
        TensorType.Float64 => Read<double, JsonElementReaders.OfFloat64>(ref json, head, jsonLength, owner),
        _ => Read<string, JsonElementReaders.OfString>(ref json, head, jsonLength, owner),
    };

    /// <summary>The token that a reader stands on, for people.</summary>
    public static string Describe(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartArray:
                return "an array";
            case JsonTokenType.StartObject:
                return "an object";
            case JsonTokenType.Null:
                return "null";
            default:
                var text = Encoding.UTF8.GetString(json.ValueSpan[..Math.Min(json.ValueSpan.Length, LongestShown)]);
                return json.TokenType == JsonTokenType.String ? $"\"{text}\"" : text;
        }
    }

    private static Tensor<T> Read<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, int jsonLength, InferenceRequest owner)
        where TElement : struct, IJsonElementReader<T>
    {
        var count = head.Count();
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
            throw head.Fail($"data is to be an array; {Describe(ref json)} came.");
        // Each element takes two bytes at least: a shape must not have memory taken that its data cannot fill.
        if (count > jsonLength / 2)
            throw head.Fail($"{head} has {count} elements; data has {CountOf(ref json)}.");
        var values = owner.Rent<T>(count);
        json.Read();
        if (json.TokenType == JsonTokenType.StartArray)
            ReadNested<T, TElement>(ref json, head, values.Span);
        else
            ReadFlat<T, TElement>(ref json, head, values.Span);
        return head.Over(values);
    }

    // The reader stands on the outermost array; values of any kind count, however they are nested.
    private static long CountOf(ref Utf8JsonReader json)
    {
        var outermost = json.CurrentDepth;
        var count = 0L;
        while (json.Read() && json.CurrentDepth > outermost)
        {
            if (json.TokenType == JsonTokenType.StartObject)
                json.Skip();
            if (json.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndArray))
                count++;
        }

        return count;
    }

    private static void ReadFlat<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, Span<T> values)
        where TElement : struct, IJsonElementReader<T>
    {
        var filled = 0;
        while (json.TokenType != JsonTokenType.EndArray)
        {
            if (filled == values.Length)
                throw head.Fail($"{head} has {values.Length} elements; data has more.");
            if (!TElement.TryRead(ref json, out values[filled]))
                throw Unexpected<T, TElement>(ref json, head, filled);
            filled++;
            json.Read();
        }

        if (filled != values.Length)
            throw head.Fail($"{head} has {values.Length} elements; data has {filled}.");
    }

    // The reader stands on the first array within the outermost.
    private static void ReadNested<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, Span<T> values)
        where TElement : struct, IJsonElementReader<T>
    {
        var filled = 0;
        ReadItems<T, TElement>(ref json, head, values, ref filled, dimension: 0);
    }

    private static void ReadItems<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, Span<T> values, ref int filled, int dimension)
        where TElement : struct, IJsonElementReader<T>
    {
        var shape = head.Shape!;
        var isInnermost = dimension == shape.Length - 1;
        var items = 0L;
        while (json.TokenType != JsonTokenType.EndArray)
        {
            if (dimension >= shape.Length || items == shape[dimension])
                throw WrongLength(head, dimension, "more");
            if (isInnermost)
            {
                if (!TElement.TryRead(ref json, out values[filled]))
                    throw Unexpected<T, TElement>(ref json, head, filled);
                filled++;
            }
            else if (json.TokenType == JsonTokenType.StartArray)
            {
                json.Read();
                ReadItems<T, TElement>(ref json, head, values, ref filled, dimension + 1);
            }
            else
            {
                throw head.Fail($"data is to be nested as {head} is, or flat; in dimension {dimension} {Describe(ref json)} came in place of an array.");
            }

            items++;
            json.Read();
        }

        if (dimension >= shape.Length || items != shape[dimension])
            throw WrongLength(head, dimension, $"{items}");
    }

    private static BadInputException WrongLength(InputTensorHeader head, int dimension, string came) => dimension >= head.Shape!.Length
        ? head.Fail($"data is nested deeper than {head} is.")
        : head.Fail($"{head} has length {head.Shape[dimension]} in dimension {dimension}; data has {came}.");

    private static BadInputException Unexpected<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, int index)
        where TElement : struct, IJsonElementReader<T> =>
        head.Fail($"{TensorTypes.NameOf(head.RequireType())} takes {TElement.Expected}; at element {index} {Describe(ref json)} came.");
}
