using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Serve.FunctionalTests.Protocol;

/// <summary>A request of exact bytes on a connection of its own, and the response as comparable text.</summary>
internal static partial class RawHttpExchange
{
    /// <summary>Result of an exchange whose connection was closed before the response was complete. What arrived before depends on timing.</summary>
    public const string Closed = "connection closed";

    public const string Unanswered = "no response";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Sends the bytes and reads one response.</summary>
    /// <param name="address">The server.</param>
    /// <param name="request">The request; a HEAD request has no response body.</param>
    /// <param name="patience">Maximum wait for the response; null for the default.</param>
    public static async Task<string> SendAsync(Uri address, byte[] request, TimeSpan? patience = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        using var limit = new CancellationTokenSource(patience ?? Patience);
        var isHead = request.AsSpan().StartsWith("HEAD "u8);
        var received = new MemoryStream();
        try
        {
            var sending = SendAllAsync(client.GetStream(), request, limit.Token);
            var buffer = new byte[65536];
            for (int read; !IsComplete(received, isHead) && (read = await client.GetStream().ReadAsync(buffer, limit.Token)) > 0;)
                received.Write(buffer, 0, read);
            await sending;
        }
        catch (OperationCanceledException)
        {
            return Unanswered;
        }
        catch (IOException)
        {
            // Reset by the server.
        }

        return IsComplete(received, isHead) ? Describe(received, address) : Closed;
    }

    private static async Task SendAllAsync(NetworkStream stream, byte[] request, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(request, cancellationToken);
        }
        catch (IOException)
        {
            // The server answered before it had read everything.
        }
    }

    private static bool IsComplete(MemoryStream received, bool isHead)
    {
        var text = Encoding.Latin1.GetString(received.GetBuffer(), 0, (int)received.Length);
        while (true)
        {
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
                return false;
            var (head, body) = (text[..end], text[(end + 4)..]);
            var status = int.Parse(head.Split(' ', 3)[1], CultureInfo.InvariantCulture);
            if (status is 100)
            {
                text = body;
                continue;
            }

            if (isHead || status is 101 or 204 or 304)
                return true;
            if (ContentLength().Match(head) is { Success: true } length)
                return body.Length >= int.Parse(length.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            return head.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase) && body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        }
    }

    private static string Describe(MemoryStream received, Uri address)
    {
        var text = Encoding.Latin1.GetString(received.GetBuffer(), 0, (int)received.Length);
        while (text.StartsWith("HTTP/1.1 100 ", StringComparison.Ordinal))
            text = text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var lines = text[..end].Split("\r\n");
        var body = text[(end + 4)..];
        if (lines[0].Contains(" 101 ", StringComparison.Ordinal))
            body = "";
        if (lines.Contains("Transfer-Encoding: chunked", StringComparer.OrdinalIgnoreCase))
            body = WithoutChunks(body);
        var headers = lines.Skip(1)
            .Where(line => !line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase) && !line.StartsWith("X-Request-ID:", StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);
        text = string.Join('\n', [lines[0], .. headers, "", body]);
        text = text.Replace(address.Port.ToString(CultureInfo.InvariantCulture), "PORT", StringComparison.Ordinal);
        return GeneratedId().Replace(text, "ID");
    }

    private static string WithoutChunks(string body)
    {
        var whole = new StringBuilder();
        while (true)
        {
            var line = body.IndexOf("\r\n", StringComparison.Ordinal);
            var length = int.Parse(body.AsSpan(0, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (length == 0)
                return whole.ToString();
            whole.Append(body, line + 2, length);
            body = body[(line + 2 + length + 2)..];
        }
    }

    [GeneratedRegex(@"\r\nContent-Length: (\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex ContentLength();

    [GeneratedRegex("0H[0-9A-Z]{11}:[0-9A-F]{8}")]
    private static partial Regex GeneratedId();
}
