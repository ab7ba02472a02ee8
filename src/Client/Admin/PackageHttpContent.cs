using System.Net;
using System.Net.Http.Headers;

namespace Serve.Admin;

/// <summary>A package as a request body. Unlike <see cref="StreamContent"/> it does not dispose the stream.</summary>
internal sealed class PackageHttpContent : HttpContent
{
    private readonly Stream _zip;

    public PackageHttpContent(Stream zip)
    {
        _zip = zip;
        Headers.ContentType = new MediaTypeHeaderValue("application/zip");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _zip.CopyToAsync(stream);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _zip.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _zip.CanSeek ? _zip.Length - _zip.Position : 0;
        return _zip.CanSeek;
    }
}
