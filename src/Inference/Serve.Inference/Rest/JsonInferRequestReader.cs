using System.Text.Json;
using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>
/// Parser of the REST protocol's requests, with the binary tensor data extension. One pass over the JSON reads elements directly into typed arrays;
/// binary tensors are used in place.
/// </summary>
internal static class JsonInferRequestReader
{
    /// <summary>Parses a request.</summary>
    /// <param name="json">The JSON object.</param>
    /// <param name="binary">The binary part.</param>
    /// <param name="hasBinaryPart">Whether the request has a binary part.</param>
    /// <param name="request">Receives the contents.</param>
    /// <exception cref="BadInputException">The request is malformed; the error names the tensor, if any.</exception>
    public static void Read(ReadOnlySpan<byte> json, Memory<byte> binary, bool hasBinaryPart, InferenceRequest request)
    {
        var heads = new List<InputTensorHeader>();
        try
        {
            ReadRoot(json, heads, request);
        }
        catch (JsonException broken)
        {
            var place = heads.Count > 0 && heads[^1] is { Tensor: null, BinarySize: null } open ? $"input '{open.Name}': " : "";
            throw new BadInputException($"{place}the request is not valid JSON: {broken.Message}", broken);
        }
        catch (InvalidOperationException broken)
        {
            // Thrown by Utf8JsonReader for strings and names that are not valid Unicode, such as a surrogate without its pair.
            var place = heads.Count > 0 && heads[^1].Tensor is null ? $"input '{heads[^1].Name}': " : "";
            throw new BadInputException($"{place}the request contains a string that is not valid Unicode: {broken.Message}", broken);
        }

        TakeBinary(heads, binary, hasBinaryPart, request);
        foreach (var head in heads)
            request.Inputs.Add(new(head.Name, head.Tensor!));
    }

    private static void ReadRoot(ReadOnlySpan<byte> utf8, List<InputTensorHeader> heads, InferenceRequest request)
    {
        if (utf8.IsEmpty)
            throw new BadInputException("Expected a JSON object, but the body was empty.");
        var json = new Utf8JsonReader(utf8);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw new BadInputException($"The request must be a JSON object, but was {JsonTensorReader.Describe(ref json)}.");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("id"u8))
            {
                request.Id = ReadText(ref json, "id");
            }
            else if (json.ValueTextEquals("inputs"u8))
            {
                ReadInputs(ref json, utf8.Length, heads, request);
            }
            else if (json.ValueTextEquals("outputs"u8))
            {
                ReadOutputs(ref json, request);
            }
            else if (json.ValueTextEquals("parameters"u8))
            {
                EnterParameters(ref json, "The request's");
                while (NextParameter(ref json))
                {
                    if (json.ValueTextEquals("binary_data_output"u8))
                        request.BinaryOutputs = ReadFlag(ref json, "binary_data_output");
                    else if (json.ValueTextEquals("priority"u8))
                        request.ApplyPriority(ReadAmount(ref json, "priority"));
                    else if (json.ValueTextEquals("timeout"u8))
                        request.ApplyTimeout(ReadAmount(ref json, "timeout"), TimeProvider.System);
                    else
                        SkipParameter(ref json, "The request's");
                }
            }
            else
            {
                json.Skip();
            }
        }

        // Throws if anything follows the object.
        json.Read();
    }

    private static void ReadInputs(ref Utf8JsonReader json, int length, List<InputTensorHeader> heads, InferenceRequest request)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.StartArray)
            throw new BadInputException($"inputs must be an array of objects, but was {JsonTensorReader.Describe(ref json)}.");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
                throw new BadInputException($"inputs must be an array of objects, but was {JsonTensorReader.Describe(ref json)}.");
            var head = new InputTensorHeader($"#{heads.Count}");
            heads.Add(head);
            ReadInput(ref json, length, head, request);
        }
    }

    private static void ReadInput(ref Utf8JsonReader json, int length, InputTensorHeader head, InferenceRequest request)
    {
        // Data that precedes the datatype or the shape is read after them.
        var later = default(Utf8JsonReader);
        bool isLater = false, isNamed = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                head.Name = ReadText(ref json, "an input's name") ?? throw new BadInputException("An input's name must be a string, but was null.");
                isNamed = true;
            }
            else if (json.ValueTextEquals("datatype"u8))
            {
                head.SetType(ReadText(ref json, $"input '{head.Name}': datatype"));
            }
            else if (json.ValueTextEquals("shape"u8))
            {
                head.Shape = ReadShape(ref json, head);
            }
            else if (json.ValueTextEquals("parameters"u8))
            {
                ReadInputParameters(ref json, head);
            }
            else if (!json.ValueTextEquals("data"u8))
            {
                json.Skip();
            }
            else if (head is { Type: not null, Shape: not null })
            {
                head.Tensor = TensorElementFormat.Of(head.RequireType()).ReadJson(ref json, head, length, request);
            }
            else
            {
                later = json;
                isLater = true;
                json.Skip();
            }
        }

        if (!isNamed)
            throw head.Fail("name is missing.");
        if (isLater)
            head.Tensor = TensorElementFormat.Of(head.RequireType()).ReadJson(ref later, head, length, request);
        if (head.Tensor is null && head.BinarySize is null)
            throw head.Fail("data or the parameter binary_data_size is required.");
        if (head is { Tensor: not null, BinarySize: not null })
            throw head.Fail("data and the parameter binary_data_size are mutually exclusive.");
    }

    private static void ReadInputParameters(ref Utf8JsonReader json, InputTensorHeader head)
    {
        var whose = $"input '{head.Name}':";
        EnterParameters(ref json, whose);
        while (NextParameter(ref json))
        {
            if (json.ValueTextEquals("binary_data_size"u8))
            {
                json.Read();
                head.BinarySize = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var size) && size >= 0
                    ? size
                    : throw head.Fail($"binary_data_size must be a number of bytes, but was {JsonTensorReader.Describe(ref json)}.");
            }
            else if (json.ValueTextEquals("shared_memory_region"u8))
            {
                throw head.Fail("shared memory regions are not supported; send data or binary_data_size.");
            }
            else
            {
                SkipParameter(ref json, whose);
            }
        }
    }

    private static void ReadOutputs(ref Utf8JsonReader json, InferenceRequest request)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.StartArray)
            throw new BadInputException($"outputs must be an array of objects, but was {JsonTensorReader.Describe(ref json)}.");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
                throw new BadInputException($"outputs must be an array of objects, but was {JsonTensorReader.Describe(ref json)}.");
            ReadOutput(ref json, request);
        }
    }

    private static void ReadOutput(ref Utf8JsonReader json, InferenceRequest request)
    {
        string? name = null;
        bool? binary = null;
        var classes = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("name"u8))
            {
                name = ReadText(ref json, "an output's name");
            }
            else if (json.ValueTextEquals("parameters"u8))
            {
                var whose = $"output '{name ?? $"#{request.Outputs.Count}"}':";
                EnterParameters(ref json, whose);
                while (NextParameter(ref json))
                {
                    if (json.ValueTextEquals("binary_data"u8))
                        binary = ReadFlag(ref json, $"{whose} binary_data");
                    else if (json.ValueTextEquals("classification"u8))
                        classes = ReadClasses(ref json, whose);
                    else if (json.ValueTextEquals("shared_memory_region"u8))
                        throw new BadInputException($"{whose} the parameter shared_memory_region is not supported.");
                    else
                        SkipParameter(ref json, whose);
                }
            }
            else
            {
                json.Skip();
            }
        }

        request.Outputs.Add(new(name ?? throw new BadInputException($"output #{request.Outputs.Count}: name is missing."), binary, classes));
    }

    private static void TakeBinary(List<InputTensorHeader> heads, Memory<byte> binary, bool hasBinaryPart, InferenceRequest request)
    {
        var rest = binary;
        foreach (var head in heads)
        {
            if (head.BinarySize is not { } size)
                continue;
            if (!hasBinaryPart)
                throw head.Fail($"binary_data_size is {size}, but the header Inference-Header-Content-Length is missing.");
            if (size > rest.Length)
                throw head.Fail($"binary_data_size is {size}, but the body has {rest.Length} bytes left.");
            head.Tensor = BinaryTensorCodec.Read(head, rest[..(int)size], request);
            rest = rest[(int)size..];
        }

        if (rest.Length > 0)
            throw new BadInputException($"The body's binary part has {binary.Length} bytes, but the inputs' binary_data_size values add up to {binary.Length - rest.Length}.");
    }

    private static long[] ReadShape(ref Utf8JsonReader json, InputTensorHeader head)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
            throw head.Fail($"shape must be an array of lengths, but was {JsonTensorReader.Describe(ref json)}.");
        var lengths = new List<long>(4);
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            lengths.Add(json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var length)
                ? length
                : throw head.Fail($"shape must be an array of lengths, but was {JsonTensorReader.Describe(ref json)}."));
        }

        return [.. lengths];
    }

    private static string? ReadText(ref Utf8JsonReader json, string what)
    {
        json.Read();
        return json.TokenType is JsonTokenType.String or JsonTokenType.Null
            ? json.GetString()
            : throw new BadInputException($"{what} must be a string, but was {JsonTensorReader.Describe(ref json)}.");
    }

    private static bool ReadFlag(ref Utf8JsonReader json, string what)
    {
        json.Read();
        return json.TokenType is JsonTokenType.True or JsonTokenType.False
            ? json.GetBoolean()
            : throw new BadInputException($"{what} must be true or false, but was {JsonTensorReader.Describe(ref json)}.");
    }

    private static int ReadClasses(ref Utf8JsonReader json, string whose)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var classes) && classes >= 0
            ? classes
            : throw new BadInputException($"{whose} classification must be a number of classes, but was {JsonTensorReader.Describe(ref json)}.");
    }

    private static ulong ReadAmount(ref Utf8JsonReader json, string name)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number && json.TryGetUInt64(out var amount)
            ? amount
            : throw new BadInputException($"The request's {name} must be an integer of at least 0, but was {JsonTensorReader.Describe(ref json)}.");
    }

    private static void EnterParameters(ref Utf8JsonReader json, string whose)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw new BadInputException($"{whose} parameters must be an object, but was {JsonTensorReader.Describe(ref json)}.");
    }

    private static bool NextParameter(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    private static void SkipParameter(ref Utf8JsonReader json, string whose)
    {
        var name = json.GetString();
        json.Read();
        if (json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject or JsonTokenType.Null)
            throw new BadInputException($"{whose} the parameter {name} must be a string, a number or a boolean, but was {JsonTensorReader.Describe(ref json)}.");
    }
}
