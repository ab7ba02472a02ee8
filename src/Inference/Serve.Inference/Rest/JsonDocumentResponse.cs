using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Serve.Inference.Rest;

/// <summary>Writer of the protocol's small JSON documents.</summary>
internal static class JsonDocumentResponse
{
    public static Task WriteAsync<T>(HttpContext context, T document)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(document, ServeJson.Options);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
