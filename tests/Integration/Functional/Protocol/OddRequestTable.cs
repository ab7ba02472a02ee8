using System.Text;

namespace Serve.FunctionalTests.Protocol;

/// <summary>Requests that a proxy easily changes, by name.</summary>
internal static class OddRequestTable
{
    private const string Echo = "/wire/echo";
    private const string Host = "Host: localhost\r\n";
    private const string Chunked = "Transfer-Encoding: chunked\r\n";

    private static readonly string[] Tails =
    [
        "", "/", "//", "/a//b", "/a/../b", "/a/./b", "/..", "/%2e%2e/x", "/a%2Fb", "/a%2fb", "/%41", "/a%20b", "/a+b", "/%C3%A9", "/%c3%a9", "/%ff%fe", "/%E2%82", "/a;b=c", "/a:b", "/a@b",
        "/a'b", "/a\"b", "/a<b>", "/a|b", "/a\\b", "/a^b", "/a`b", "/{a}", "/[a]", "/a~b", "/a!$&()*,=b", "/%25", "/%2525", "/%5C", "/%7B", "/%00", "/%0a", "/%0d%0a", "/%", "/%4", "/%zz", "/a#b",
        "/a?b#c", "?", "?a", "?a=", "?=b", "?&&", "?a=b&a=c", "?a=%41", "?a=b+c", "?a=b%20c", "?a=%C3%A9", "?a=%ff", "?a=%", "?a=%zz", "?a=%26", "?a=%3D", "?a[]=1", "?a={b}", "?a=|", "?a=\"b\"",
        "?a='b'", "?a=<b>", "?a=\\", "?a=^`", "?a?b", "?a=/../b", "?a=http://x/y", "?a=b;c", "?%61=1", "?a=b#c", "/x?" + new string('y', 4000), "/" + new string('y', 4000), "?a=é", "/é",
    ];

    private static readonly string[] Targets =
    [
        "http://localhost/wire/echo/abs?x=%41", "http://localhost:1/wire/echo/abs", "https://localhost/wire/echo", "*", "localhost:80", "/WIRE/echo", "/Wire/echo/X", "/w%69re/echo", "/wire%2Fecho",
        "/wire", "/wire/", "/wire?x", "//wire/echo", "/./wire/echo", "/x/../wire/echo",
    ];

    private static readonly string[] Methods =
    [
        "GET", "get", "Get", "POST", "post", "PUT", "DELETE", "delete", "PATCH", "patch", "OPTIONS", "TRACE", "trace", "CONNECT", "HEAD", "FOO", "foo", "PROPFIND", "QUERY", "M-SEARCH", "A_B",
    ];

    private static readonly string[] Headers =
    [
        "X: 1", "X: 1\r\nX: 2", "x: 1\r\nX: 2", "X: 1, 2\r\nX: 3", "X:\r\nX: 1", "X:", "X: ,", "X: , ,", "X:1", "X:   1   ", "X:\t1\t", "X: a\tb", "X: é", "X: 한", "X: 😀", "X: \u0001", "X: \u007f",
        "X: \"q, r\"", "X: a\0b", "X_Y: 1", "X.Y: 1", "X(Y): 1", "X[1]: 1", "X'!#$%&*+-.^_`|~: 1", "X Y: 1", ": 1", "Xé: 1", "1: 2",
        "Accept: a/b\r\nAccept: c/d;q=0.1", "Accept: */*, text/html;q=0.8", "Accept: not a type", "Accept-Encoding: gzip, br\r\nAccept-Encoding: zstd", "Accept-Language: en\r\nAccept-Language: ko",
        "Cookie: a=1; b=2", "Cookie: a=1\r\nCookie: b=2", "Cookie: a=\"x y\"; b=", "Cookie: bad", "User-Agent: Mozilla/5.0 (X11; Linux) a/b c", "User-Agent: ((bad", "User-Agent: a\r\nUser-Agent: b",
        "Referer: not a uri", "From: me", "Date: not a date", "If-Modified-Since: bad", "If-None-Match: \"a\", W/\"b\"", "If-None-Match: bad", "Range: bytes=0-1", "Range: bad",
        "Authorization: Basic abc", "Authorization: Bearer x\r\nAuthorization: Bearer y", "Authorization: bad value,, x", "Proxy-Authorization: Basic abc", "Proxy-Authenticate: x",
        "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5", "Connection: keep-alive", "Connection: close", "Connection: Keep-Alive, X-Hop\r\nX-Hop: 1", "Connection: x-hop\r\nX-Hop: 1\r\nX-Stay: 2",
        "Connection: Host, Content-Length", "Connection: \r\nX: 1", "Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\nX-B: 2", "Connection: Cookie\r\nCookie: a=1", "TE: trailers",
        "TE: gzip\r\nConnection: TE", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: foo\r\nConnection: Upgrade", "Upgrade: websocket",
        "Trailer: X-T", "Via: 1.1 x\r\nVia: 1.1 y", "Warning: 199 x \"y\"", "Pragma: no-cache", "Cache-Control: no-cache, max-age=0", "Cache-Control: bad bad", "Max-Forwards: 0", "Max-Forwards: x",
        "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Prefix: /x", "Forwarded: for=1.2.3.4;proto=https", "X-Original-URL: /x",
        "X-HTTP-Method-Override: DELETE", "Expect: 100-continue", "Expect: something", "Expect: 100-continue\r\nExpect: x", "Content-Type: text/plain", "Content-Type: bad",
        "Content-Type: a/b\r\nContent-Type: c/d", "Content-Encoding: gzip", "Content-Language: ko", "Content-Location: x", "Content-MD5: x", "Content-Range: bytes 0-1/2",
        "Content-Disposition: attachment; filename=\"x\"", "Expires: 0", "Last-Modified: x", "Allow: GET, POST", "Allow: GET\r\nAllow: PUT", "Content-Foo: 1",
        "Serve-Token: x", "Serve-Actor: x", "Serve-Path-Base: /x", "Serve-Client: HTTP/2 https 1.2.3.4:5 1.2.3.4:6", "Serve-Body-Limit: 1", "Serve-Refused: gone", "Serve-Head: AAAA",
        "serve-token: x\r\nSERVE-TOKEN: y", "Serve-Timeout-Ms: 50000", "serve_multiplexed_model_id: m", "X-Request-ID: mine", "X-Request-ID: a\r\nX-Request-ID: b", "X-Request-ID: bad id",
        "X-Request-ID: é", "X-Request-ID:", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b", "baggage: a=b", "Request-Id: |x.", "Alt-Svc: x", "ALPN: h2",
        "Close: x", "Security-Scheme: x", "Proxy-Features: x", "Set-Cookie: a=1\r\nSet-Cookie: b=2", "Location: /x", "Server: x", "Age: 1", "Transfer-Encoding: identity", ":authority: x",
        "Big: " + new string('b', 30_000), "Big: " + new string('"', 30_000),
    ];

    private static readonly string[] Hosts =
    [
        "", "Host:\r\n", "Host: LOCALHOST\r\n", "Host: localhost:1\r\n", "Host: 127.0.0.1\r\n", "Host: [::1]:80\r\n", "Host: localhost:\r\n", "Host: a b\r\n", "Host: localhost\r\nHost: localhost\r\n",
    ];

    private static readonly (string Name, string Headers, string Body)[] Bodies =
    [
        ("empty", "Content-Length: 0\r\n", ""), ("none", "", ""), ("short", "Content-Length: 3\r\n", "abc"), ("form", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n", "a=1&b=2"),
        ("json", "Content-Type: application/json\r\nContent-Length: 9\r\n", "{\"a\":\"b\"}"), ("gzip", "Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc"),
        ("gRPC", "Content-Type: application/grpc\r\nContent-Length: 3\r\n", "abc"), ("gRPC-Web", "Content-Type: application/grpc-web\r\nContent-Length: 3\r\n", "abc"),
        ("chunked", Chunked, Chunks("abc", "def")), ("chunked, empty", Chunked, Chunks()), ("chunk extension", Chunked, "3;x=y\r\nabc\r\n0\r\n\r\n"),
        ("trailer", Chunked, "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"), ("declared trailers", Chunked + "Trailer: X-T\r\n", "3\r\nabc\r\n0\r\nX-T: 1\r\nX-U: é\r\nX-T: 2\r\n\r\n"),
        ("Chunked", "Transfer-Encoding: Chunked\r\n", Chunks("abc")), ("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", Chunks("abc")), ("chunked and length", Chunked + "Content-Length: 4\r\n", Chunks("abc")),
        ("malformed chunk", Chunked, "zz\r\nabc\r\n"), ("two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), ("negative length", "Content-Length: -1\r\n", ""),
        ("listed length", "Content-Length: 3, 3\r\n", "abc"), ("padded length", "Content-Length: 0003\r\n", "abc"), ("16 KiB", "Content-Length: 16384\r\n", new string('x', 16384)),
        ("16 KiB + 1", "Content-Length: 16385\r\n", new string('x', 16385)), ("1 MB", "Content-Length: 1000000\r\n", new string('x', 1_000_000)),
        ("1 MB, expects 100", "Content-Length: 1000000\r\nExpect: 100-continue\r\n", new string('x', 1_000_000)), ("short, expects 100", "Content-Length: 3\r\nExpect: 100-continue\r\n", "abc"),
        ("1 MB chunked", Chunked, Chunks([.. Enumerable.Repeat(new string('y', 10_000), 100)])), ("1 MB chunked, two lines", Chunked + "X: 1\r\nX: 2\r\n", Chunks([.. Enumerable.Repeat(new string('y', 10_000), 100)])),
    ];

    private static readonly string[] BodyPaths = [Echo, "/wire/ignore", "/wire/forbid", "/wire/reader", "/wire/json", "/wire/form", "/wire/upload", "/wire/own-limit", "/wire/size-limit", "/wire/synchronous"];

    private static readonly string[] Responses =
    [
        "text", "empty", "nocontent", "redirect", "problem", "range", "reason", "cookies", "big-header", "many-headers", "trailers", "length", "large?n=10", "large?n=1000000", "file", "tokens?n=3",
        "tokens?n=0", "no-response", "throw", "throw?text=%C3%A9%0D%0AX%3A%201", "throw-written", "throw-flushed", "throw-started", "abort", "abort-written", "too-long", "too-short", "none-of-30", "body/204", "body/304",
        "body/205", "body/200", "body/199", "body/101", "body/404", "events?n=3", "nowhere", "status/x", "header/X-A?value=b", "header/X-A?value=%C3%A9",
        "header/Content-Disposition?value=attachment%3B%20filename%3D%22%C3%A9%ED%95%9C.txt%22", "header/X-A?value=a%0D%0AX-B%3A%201", "header/X-A?value=", "header/X%20Y?value=1",
        "header/Serve-Refused?value=gone", "header/Serve-Refused?value=full%20x", "header/Serve-Token?value=x", "header/Connection?value=close", "header/Connection?value=X-A", "header/Keep-Alive?value=1",
        "header/Upgrade?value=x", "header/Trailer?value=X", "header/TE?value=x", "header/Proxy-Authenticate?value=x", "header/Proxy-Connection?value=x", "header/Server?value=me",
        "header/Content-Length?value=1", "header/Content-Length?value=9", "header/Content-Length?value=x", "header/Content-Type?value=x", "header/Content-Encoding?value=gzip", "header/Location?value=/x",
        "header/Alt-Svc?value=x", "header/Strict-Transport-Security?value=x", "header/Set-Cookie?value=a=b", "header/ETag?value=x", "header/Vary?value=x", "header/Retry-After?value=7", "header/Allow?value=GET",
        "writer", "send-file?offset=0", "send-file?offset=3&count=4", "send-file?offset=11", "complete", "starting", "synchronous", "upgrade", "features", "reset",
        "header/Expires?value=x", "header/Last-Modified?value=x", "header/Age?value=x", "header/Via?value=x", "header/Warning?value=x",
    ];

    private static readonly int[] Statuses =
    [
        100, 101, 102, 103, 199, 200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 421, 422, 426, 429, 431, 451, 499, 500, 501, 502,
        503, 504, 511, 599, 600, 999,
    ];

    /// <summary>All requests.</summary>
    public static IEnumerable<(string Name, byte[] Request)> All()
    {
        foreach (var tail in Tails)
            yield return Case("target " + tail, Get(Echo + tail));
        foreach (var target in Targets)
        {
            yield return Case("target " + target, Get(target));
            yield return Case("options " + target, Get(target, method: "OPTIONS"));
        }

        foreach (var method in Methods)
        {
            yield return Case("method " + method, Get(Echo, method: method));
            yield return Case("body of " + method, Get(Echo, "Content-Length: 3\r\n", method, "abc"));
            yield return Case("empty body of " + method, Get(Echo, "Content-Length: 0\r\n", method));
        }

        foreach (var header in Headers)
        {
            yield return Case("header " + header, Get(Echo, header + "\r\n"));
            yield return Case("header of POST " + header, Get(Echo, header + "\r\nContent-Length: 3\r\n", "POST", "abc"));
        }

        yield return Case("97 headers", Get(Echo, string.Concat(Enumerable.Range(0, 97).Select(i => $"H{i}: v\r\n"))));
        yield return Case("90 lines", Get(Echo, string.Concat(Enumerable.Range(0, 90).Select(i => $"H: {i}\r\n"))));
        foreach (var host in Hosts)
            yield return Case("host " + host, $"GET {Echo} HTTP/1.1\r\n{host}\r\n");
        foreach (var version in (string[])["HTTP/1.1", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", ""])
        {
            foreach (var path in (string[])[Echo, "/wire/text", "/wire/tokens?n=3"])
                yield return Case($"version {version} of {path}", $"GET {path} {version}\r\n{Host}\r\n");
        }

        foreach (var (name, headers, body) in Bodies)
        {
            foreach (var path in BodyPaths)
                yield return Case($"body {name} to {path}", Get(path, headers, "POST", body));
        }

        foreach (var status in Statuses)
        {
            yield return Case($"status {status}", Get($"/wire/status/{status}"));
            yield return Case($"status {status} of HEAD", Get($"/wire/status/{status}", method: "HEAD"));
        }

        foreach (var path in Responses)
            yield return Case("response " + path, Get("/wire/" + path));
        foreach (var range in (string[])["bytes=0-1", "bytes=5-", "bytes=-2", "bytes=20-", "bytes=0-1,3-4", "x"])
            yield return Case("range " + range, Get("/wire/range", $"Range: {range}\r\n"));
        yield return Case("events of tokens", Get("/wire/tokens?n=2", "Accept: text/event-stream\r\n"));
        yield return Case("abort with a body", Get("/wire/abort", "Content-Length: 3\r\n", "POST", "abc"));
        yield return Case("abort with a large body", Get("/wire/abort", "Content-Length: 100000\r\n", "POST", new string('a', 100_000)));
        yield return Case("wrong method", Get("/wire/json"));
        yield return Case("wrong content type", Get("/wire/json", "Content-Type: text/plain\r\nContent-Length: 1\r\n", "POST", "1"));
        foreach (var upgrade in Upgrades())
            yield return upgrade;
    }

    private static IEnumerable<(string Name, byte[] Request)> Upgrades()
    {
        const string Handshake = "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        foreach (var more in (string[])["", "X-Lines: 1\r\nX-Lines: 2\r\n", "Sec-WebSocket-Protocol: a, wire.v1\r\n", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: wire.v1\r\n", "Serve-Token: x\r\n", "X: é\r\n"])
            yield return Case("WebSocket " + more, Get("/wire/ws", "Connection: Upgrade\r\n" + more + Handshake));
        yield return Case("WebSocket of a browser", Get("/wire/ws", "Connection: keep-alive, Upgrade\r\n" + Handshake));
        yield return Case("WebSocket in capitals", Get("/wire/ws", "Connection: Upgrade\r\n" + Handshake.Replace("websocket", "WebSocket", StringComparison.Ordinal)));
        yield return Case("WebSocket without key", Get("/wire/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
        yield return Case("WebSocket of version 12", Get("/wire/ws", "Connection: Upgrade\r\n" + Handshake.Replace("13", "12", StringComparison.Ordinal)));
        yield return Case("WebSocket by POST", Get("/wire/ws", "Connection: Upgrade\r\n" + Handshake, "POST"));
        yield return Case("WebSocket to text", Get("/wire/text", "Connection: Upgrade\r\n" + Handshake));
        yield return Case("WebSocket to nothing", Get("/wire/nowhere", "Connection: Upgrade\r\n" + Handshake));
        yield return Case("no WebSocket", Get("/wire/ws"));
        yield return Case("features of a WebSocket request", Get("/wire/features", "Connection: Upgrade\r\n" + Handshake));
        foreach (var path in (string[])["upgrade", "features"])
            yield return Case("upgrade to another protocol at " + path, Get("/wire/" + path, "Connection: Upgrade\r\nUpgrade: chat\r\n"));
    }

    private static (string Name, byte[] Request) Case(string name, string request) => (name.Length > 100 ? name[..100] : name, Encoding.UTF8.GetBytes(request));

    private static string Get(string target, string headers = "", string method = "GET", string body = "") => $"{method} {target} HTTP/1.1\r\n{Host}{headers}\r\n{body}";

    private static string Chunks(params string[] chunks) => string.Concat(chunks.Select(chunk => $"{chunk.Length:x}\r\n{chunk}\r\n")) + "0\r\n\r\n";
}
