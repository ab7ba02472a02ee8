using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Serve.Testing;

/// <summary>Reads the problem document of a response.</summary>
public static class ProblemDetailsReader
{
    public static async Task<string?> ReasonAsync(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? (string?)(await response.Content.ReadFromJsonAsync<JsonObject>())!["reason"]
            : null;
}
