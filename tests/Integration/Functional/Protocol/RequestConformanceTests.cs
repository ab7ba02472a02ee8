using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Serve.FunctionalTests.Protocol;

/// <summary>A deployment sees the same request, and its client the same response, in every isolation.</summary>
[Collection(ProtocolTestCollection.Name)]
public sealed class RequestConformanceTests(IsolationNodesFixture nodes)
{
    [Fact]
    public async Task Send_OddRequests_SameExchangeInEveryIsolation()
    {
        var different = new StringBuilder();
        var count = 0;
        foreach (var (name, request) in OddRequestTable.All())
        {
            count++;
            var expected = await RawHttpExchange.SendAsync(nodes.AddressOf(IsolationMode.None), request);
            Assert.True(expected != RawHttpExchange.Unanswered, $"{name}: {expected}");
            foreach (var isolation in IsolationNodesFixture.Isolations.Skip(1))
            {
                var actual = await RawHttpExchange.SendAsync(nodes.AddressOf(isolation), request);
                if (actual != expected)
                    different.AppendLine($"{name}\n--- none\n{Shortened(expected)}\n--- {isolation}\n{Shortened(actual)}\n");
            }
        }

        Assert.True(different.Length == 0, different.ToString());
        Assert.True(count > 600, $"{count} requests");
    }

    [Theory]
    [InlineData("X: é", "\"X\":[\"é\"]")]
    [InlineData("X: 1\r\nX: 2", "\"X\":[\"1\",\"2\"]")]
    [InlineData("Content-Type: text/plain", "\"Content-Type\":[\"text/plain\"]")]
    [InlineData("Connection: X-Hop\r\nX-Hop: 1\r\nServe-Token: x\r\nKeep-Alive: 1\r\nTE: trailers", "\"headers\":{\"Host\":[\"localhost\"],\"X-Request-ID\":[\"ID\"]}")]
    [InlineData("Expect: 100-continue", "\"Expect\":[\"100-continue\"]")]
    public async Task Send_Headers_ArriveAsSent(string headers, string expected)
    {
        foreach (var isolation in IsolationNodesFixture.Isolations)
        {
            var response = await RawHttpExchange.SendAsync(
                nodes.AddressOf(isolation), Encoding.UTF8.GetBytes($"GET /wire/echo/a%2Fb?c=%41 HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n"));
            Assert.Contains(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(expected)), response, StringComparison.Ordinal);
            Assert.Contains("\"target\":\"/wire/echo/a%2Fb?c=%41\"", response, StringComparison.Ordinal);
            Assert.Contains("\"contentLength\":null", response, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("abort")]
    [InlineData("throw-flushed")]
    [InlineData("too-short")]
    public async Task Get_BrokenResponse_ClosesConnection(string path)
    {
        foreach (var isolation in IsolationNodesFixture.Isolations)
            Assert.Equal(RawHttpExchange.Closed, await RawHttpExchange.SendAsync(nodes.AddressOf(isolation), Encoding.ASCII.GetBytes($"GET /wire/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n")));
    }

    [Fact]
    public async Task Send_Http2_SameExchangeInEveryIsolation()
    {
        foreach (var (name, send) in Http2Exchanges())
        {
            var expected = await DescribeAsync(IsolationMode.None, send);
            foreach (var isolation in IsolationNodesFixture.Isolations.Skip(1))
            {
                var actual = await DescribeAsync(isolation, send);
                Assert.True(actual == expected, $"{name}\n--- none\n{expected}\n--- {isolation}\n{actual}");
            }
        }
    }

    [Fact]
    public async Task Get_TrailersOverHttp2_Arrive()
    {
        foreach (var isolation in IsolationNodesFixture.Isolations)
        {
            using var client = Http2Client(isolation);
            using var response = await client.GetAsync("/wire/trailers");
            Assert.Equal("body", await response.Content.ReadAsStringAsync());
            Assert.Equal("42", Assert.Single(response.TrailingHeaders.GetValues("X-Sum")));
        }
    }

    private static IEnumerable<(string Name, Func<HttpRequestMessage> Create)> Http2Exchanges()
    {
        foreach (var path in (string[])["echo/a%2Fb?x=%41", "echo?a=é", "text", "trailers", "throw", "tokens?n=3", "events?n=3", "cookies", "large?n=1000000", "abort", "throw-flushed", "too-short", "too-long", "body/204", "status/404", "header/Connection?value=close", "nowhere"])
            yield return ("GET " + path, () => new(HttpMethod.Get, "/wire/" + path));
        yield return ("HEAD", () => new(HttpMethod.Head, "/wire/text"));
        yield return ("two lines", () => new(HttpMethod.Get, "/wire/echo") { Headers = { { "X", ["1", "2"] }, { "Cookie", "a=1" }, { "TE", "trailers" }, { "Serve-Token", "x" } } });
        foreach (var length in (int[])[0, 3, 20_000, 1_000_000])
        {
            foreach (var path in (string[])["echo", "reader", "ignore", "duplex"])
            {
                // This content is sent whole before the response is read.
                if (path != "duplex" || length < 100_000)
                    yield return ($"{length} bytes to {path}", () => new(HttpMethod.Post, "/wire/" + path) { Content = new ByteArrayContent(new byte[length]) });
                // Whether an empty body of unknown length is seen with the headers depends on timing.
                if (length > 0)
                    yield return ($"{length} bytes of unknown length to {path}", () => new(HttpMethod.Post, "/wire/" + path) { Content = new UnknownLengthContent(length) });
            }
        }
    }

    private async Task<string> DescribeAsync(IsolationMode isolation, Func<HttpRequestMessage> create)
    {
        using var client = Http2Client(isolation);
        using var request = create();
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        request.Headers.Host = "localhost";
        request.Headers.TryAddWithoutValidation("X-Request-ID", "mine");
        try
        {
            using var response = await client.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            if (request.RequestUri!.AbsolutePath.StartsWith("/wire/echo", StringComparison.Ordinal) && response.IsSuccessStatusCode)
                body = WithLowerCaseNames(body);
            return $"{response.StatusCode} {Lines(response.Headers)}{Lines(response.Content.Headers)}{Lines(response.TrailingHeaders)}\n{body}"
                .Replace($":{nodes.AddressOf(isolation).Port}", ":PORT", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return RawHttpExchange.Closed;
        }
        catch (OperationCanceledException)
        {
            return RawHttpExchange.Unanswered;
        }
    }

    // The gateway adds a header whose name is sent in lower case to a worker.
    private static string WithLowerCaseNames(string echo)
    {
        using var document = JsonDocument.Parse(echo);
        // Whether the end of an empty body is seen with the headers depends on timing.
        var isEmptyPost = document.RootElement.GetProperty("method").ValueEquals("POST") && document.RootElement.GetProperty("length").GetInt64() == 0;
        return string.Join('\n', document.RootElement.EnumerateObject().Where(member => !isEmptyPost || member.Name != "detected").Select(member => member.Name != "headers" ? member.ToString()
            : string.Join(' ', member.Value.EnumerateObject().Select(header => header.Name.ToLowerInvariant() + header.Value).Order(StringComparer.Ordinal))));
    }

    private HttpClient Http2Client(IsolationMode isolation) => new(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null, AllowAutoRedirect = false })
    {
        BaseAddress = nodes.AddressOf(isolation),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(20),
    };

    private static string Lines(HttpHeaders headers) =>
        string.Concat(headers.NonValidated.Where(header => header.Key != "Date").OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {string.Join(" | ", header.Value)}\n"));

    private static string Shortened(string text) => text.Length > 2000 ? text[..2000] : text;

    private sealed class UnknownLengthContent(int length) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(new byte[length]).AsTask();

        protected override bool TryComputeLength(out long computed)
        {
            computed = 0;
            return false;
        }
    }
}
