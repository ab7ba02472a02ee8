using System.Text;
using System.Text.Json;
using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>Reads the elements of a tensor from JSON directly into an array of their type, nested like the shape or flat.</summary>
internal static class JsonTensorReader
{
    private const int LongestShown = 40;

    /// <summary>Describes the current token for error messages.</summary>
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

    /// <summary>Reads the next value.</summary>
    /// <exception cref="BadInputException">The data does not match the header; names the tensor.</exception>
    public static Tensor<T> Read<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, int jsonLength, InferenceRequest owner)
        where TElement : struct, IJsonElement<T>
    {
        var count = head.Count();
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
            throw head.Fail($"data must be an array, but was {Describe(ref json)}.");
        // An element requires at least two bytes: a shape must not allocate memory that its data cannot fill.
        if (count > jsonLength / 2)
            throw head.Fail($"{head} has {count} elements, but data has {CountOf(ref json)}.");
        var values = owner.Rent<T>(count);
        json.Read();
        if (json.TokenType == JsonTokenType.StartArray)
            ReadNested<T, TElement>(ref json, head, values.Span);
        else
            ReadFlat<T, TElement>(ref json, head, values.Span);
        return head.Over(values);
    }

    // Counts values of any kind, from the start of the outermost array.
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
        where TElement : struct, IJsonElement<T>
    {
        var filled = 0;
        while (json.TokenType != JsonTokenType.EndArray)
        {
            if (filled == values.Length)
                throw head.Fail($"{head} has {values.Length} elements, but data has more.");
            if (!TElement.TryRead(ref json, out values[filled]))
                throw Unexpected<T, TElement>(ref json, head, filled);
            filled++;
            json.Read();
        }

        if (filled != values.Length)
            throw head.Fail($"{head} has {values.Length} elements, but data has {filled}.");
    }

    // From the start of the first array within the outermost.
    private static void ReadNested<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, Span<T> values)
        where TElement : struct, IJsonElement<T>
    {
        var filled = 0;
        ReadItems<T, TElement>(ref json, head, values, ref filled, dimension: 0);
    }

    private static void ReadItems<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, Span<T> values, ref int filled, int dimension)
        where TElement : struct, IJsonElement<T>
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
                throw head.Fail($"data must be flat or nested like {head}, but dimension {dimension} contains {Describe(ref json)} instead of an array.");
            }

            items++;
            json.Read();
        }

        if (dimension >= shape.Length || items != shape[dimension])
            throw WrongLength(head, dimension, $"{items}");
    }

    private static BadInputException WrongLength(InputTensorHeader head, int dimension, string came) => dimension >= head.Shape!.Length
        ? head.Fail($"data is nested deeper than {head} is.")
        : head.Fail($"{head} has length {head.Shape[dimension]} in dimension {dimension}, but data has {came}.");

    private static BadInputException Unexpected<T, TElement>(ref Utf8JsonReader json, InputTensorHeader head, int index)
        where TElement : struct, IJsonElement<T> =>
        head.Fail($"{TensorTypes.NameOf(head.RequireType())} elements must be {TElement.Expected}, but element {index} was {Describe(ref json)}.");
}
