using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Inference.Tensors;

namespace Serve.Inference.Rest;

/// <summary>Writer of the REST protocol's inference responses, with the binary tensor data extension.</summary>
internal static class JsonInferResponseWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes the outputs.</summary>
    /// <exception cref="BadInputException">An output has a number that JSON cannot represent; names it.</exception>
    public static Task WriteAsync(HttpContext context, string model, string version, InferenceRequest request, ModelOutputs outputs) =>
        ResponseContentEncoder.IsRequested(context.Request)
            ? ResponseContentEncoder.WriteAsync(context, context => WritePlainAsync(context, model, version, request, outputs))
            : WritePlainAsync(context, model, version, request, outputs);

    private static async Task WritePlainAsync(HttpContext context, string model, string version, InferenceRequest request, ModelOutputs outputs)
    {
        using var json = new PooledBufferWriter(SizeHint(request, outputs));
        var binarySize = WriteJson(json, model, version, request, outputs);
        var response = context.Response;
        response.ContentType = binarySize is null ? "application/json" : "application/octet-stream";
        response.ContentLength = json.Length + (binarySize ?? 0);
        if (binarySize is not null)
            response.Headers[InferRequestBody.HeaderLengthName] = json.Length.ToString(CultureInfo.InvariantCulture);
        var body = response.BodyWriter;
        await body.WriteAsync(json.Written, context.RequestAborted);
        if (binarySize is null)
            return;
        for (var index = 0; index < outputs.Count; index++)
        {
            if (IsBinary(request, index))
                await BinaryTensorCodec.WriteAsync(outputs[index].Tensor, body, context.RequestAborted);
        }

        await body.FlushAsync(context.RequestAborted);
    }

    /// <summary>Writes an error in the protocol's form.</summary>
    public static async Task WriteErrorAsync(HttpContext context, int status, string error)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        using var buffer = new PooledBufferWriter();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("error"u8, error);
            json.WriteEndObject();
        }

        context.Response.Clear();
        await WriteAsync(context, status, buffer);
    }

    /// <summary>Writes a serialized document.</summary>
    public static async Task WriteAsync(HttpContext context, int status, PooledBufferWriter json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json.Written, context.RequestAborted);
    }

    // Returns the size of the binary part; null if there is none.
    private static long? WriteJson(PooledBufferWriter buffer, string model, string version, InferenceRequest request, ModelOutputs outputs)
    {
        long? binarySize = null;
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteString("model_name"u8, model);
        json.WriteString("model_version"u8, version);
        if (request.Id is { } id)
            json.WriteString("id"u8, id);
        json.WriteStartArray("outputs"u8);
        for (var index = 0; index < outputs.Count; index++)
        {
            var (name, tensor) = outputs[index];
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteStartArray("shape"u8);
            foreach (var length in tensor.Shape)
                json.WriteNumberValue(length);
            json.WriteEndArray();
            json.WriteString("datatype"u8, TensorTypes.NameOf(tensor.Type));
            if (IsBinary(request, index))
            {
                var size = BinaryTensorCodec.SizeOf(tensor);
                binarySize = (binarySize ?? 0) + size;
                json.WriteStartObject("parameters"u8);
                json.WriteNumber("binary_data_size"u8, size);
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartArray("data"u8);
                TensorElementFormat.Of(tensor.Type).WriteJson(json, name, tensor);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return binarySize;
    }

    // Outputs are in the order of the request.
    private static bool IsBinary(InferenceRequest request, int index) =>
        (request.Outputs.Count == 0 ? null : request.Outputs[index].Binary) ?? request.BinaryOutputs;

    private static int SizeHint(InferenceRequest request, ModelOutputs outputs)
    {
        const int Head = 256;
        const int Element = 12;
        var size = (long)Head;
        for (var index = 0; index < outputs.Count; index++)
            size += Head + (IsBinary(request, index) ? 0 : (long)outputs[index].Tensor.Count * Element);
        return (int)Math.Min(size, 1 << 24);
    }
}
