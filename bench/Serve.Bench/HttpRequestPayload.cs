using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Serve.Bench;

/// <summary>A body to post, in a file.</summary>
/// <param name="File">Where it lies.</param>
/// <param name="Type">Its content type.</param>
/// <param name="JsonLength">The length of the JSON before a binary part; null without one.</param>
internal sealed record HttpRequestPayload(string File, string Type, int? JsonLength)
{
    private const string LengthHeader = "Inference-Header-Content-Length";

    /// <summary>Writes the script by which wrk posts it.</summary>
    /// <returns>Where the script lies.</returns>
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

    /// <summary>Posts it until it is answered with success.</summary>
    /// <exception cref="InvalidOperationException">The answer still is an error after 30 s; says what it says.</exception>
    public async Task WaitAsync(Uri url)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        var watch = Stopwatch.StartNew();
        while (true)
        {
            using var content = new ByteArrayContent(bytes);
            content.Headers.ContentType = new MediaTypeHeaderValue(Type);
            if (JsonLength is { } length)
                content.Headers.Add(LengthHeader, length.ToString(CultureInfo.InvariantCulture));
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
}
