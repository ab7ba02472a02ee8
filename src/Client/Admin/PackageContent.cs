using System.Net;
using System.Net.Http.Headers;

namespace Serve.Admin;

/// <summary>A package as a request's body; unlike <see cref="StreamContent"/> it leaves the stream to its owner.</summary>
internal sealed class PackageContent : HttpContent
{
    private readonly Stream zip;

    public PackageContent(Stream zip)
    {
        this.zip = zip;
        Headers.ContentType = new MediaTypeHeaderValue("application/zip");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => zip.CopyToAsync(stream);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        zip.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = zip.CanSeek ? zip.Length - zip.Position : 0;
        return zip.CanSeek;
    }
}
