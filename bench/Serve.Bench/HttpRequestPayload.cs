using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Serve.Bench;

/// <summary>A request body in a file.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Type">Content type.</param>
/// <param name="JsonLength">Length of the JSON before the binary part; null without a binary part.</param>
internal sealed record HttpRequestPayload(string File, string Type, int? JsonLength)
{
    private const string LengthHeader = "Inference-Header-Content-Length";

    /// <summary>Writes the wrk script that posts the body.</summary>
    /// <returns>Path of the script.</returns>
    public string Script()
    {
        var script = File + ".lua";
        System.IO.File.WriteAllText(script, $"""
            wrk.method = 'POST'
            wrk.headers['Content-Type'] = '{Type}'
            {(JsonLength is null ? "" : $"wrk.headers['{LengthHeader}'] = '{JsonLength}'")}
            local file = io.open('{File}', 'rb')
            wrk.body = file:read('*a')
            file:close()
            """);
        return script;
    }

    /// <summary>Posts the body until a request succeeds.</summary>
    /// <exception cref="InvalidOperationException">No request succeeded within 30 s.</exception>
    public async Task WaitAsync(Uri url)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        var watch = Stopwatch.StartNew();
        while (true)
        {
            using var content = ToContent(bytes);
            try
            {
                using var response = await http.PostAsync(url, content);
                if (response.IsSuccessStatusCode)
                    return;
                if (watch.Elapsed > TimeSpan.FromSeconds(30))
                    throw new InvalidOperationException($"{url} answers {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
            }
            catch (HttpRequestException) when (watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                // Not listening yet.
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Reads the body.</summary>
    public HttpContent ToContent() => ToContent(System.IO.File.ReadAllBytes(File));

    private ByteArrayContent ToContent(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(Type);
        if (JsonLength is { } length)
            content.Headers.Add(LengthHeader, length.ToString(CultureInfo.InvariantCulture));
        return content;
    }
}
