using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Serve.Routes;

/// <summary>
/// Header value with the complete head of a request (<see cref="WireHeaderNames.Head"/>), for requests whose head does not reach a worker unchanged as ordinary headers:
/// several lines of one header, an unusual method, a target that is not a path, headers that an HTTP client writes itself, or names whose case HTTP/2 would change.
/// </summary>
public static class ForwardedRequestHead
{
    /// <summary>Encodes method, target and headers of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="hasFramedBody">Whether the body is sent as a <see cref="FramedRequestBody"/>.</param>
    /// <returns>Base64 of length-prefixed UTF-8 strings.</returns>
    public static string Encode(HttpRequest request, bool hasFramedBody)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(hasFramedBody);
        writer.Write(request.Method);
        writer.Write(request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        writer.Write(request.Path.Value ?? "");
        writer.Write(request.QueryString.Value ?? "");
        writer.Write(request.Headers.Count);
        foreach (var (name, values) in request.Headers)
        {
            writer.Write(name);
            writer.Write(values.Count);
            foreach (var value in values)
                writer.Write(value ?? "");
        }

        writer.Flush();
        return Convert.ToBase64String(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Replaces the head of a forwarded request by the encoded one.</summary>
    /// <param name="request">The forwarded request.</param>
    /// <param name="encoded">Result of <see cref="Encode"/>.</param>
    /// <returns>Whether the body is a <see cref="FramedRequestBody"/>.</returns>
    public static bool Restore(HttpRequest request, string encoded)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var reader = new BinaryReader(new MemoryStream(Convert.FromBase64String(encoded)), Encoding.UTF8);
        var hasFramedBody = reader.ReadBoolean();
        request.Method = reader.ReadString();
        request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = reader.ReadString();
        request.Path = new PathString(reader.ReadString());
        request.QueryString = new QueryString(reader.ReadString());
        request.Headers.Clear();
        for (var headers = reader.ReadInt32(); headers > 0; headers--)
        {
            var name = reader.ReadString();
            var values = new string[reader.ReadInt32()];
            for (var i = 0; i < values.Length; i++)
                values[i] = reader.ReadString();
            request.Headers[name] = new StringValues(values);
        }

        return hasFramedBody;
    }
}
