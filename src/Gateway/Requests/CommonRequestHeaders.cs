using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Serve.Gateway.Requests;

/// <summary>The headers that almost every request has, and that the gateway neither reads nor removes.</summary>
internal static class CommonRequestHeaders
{
    /// <summary>Returns whether a request has no other headers. Kestrel keeps these in fields, so that counting them costs less than looking up a few others by name.</summary>
    /// <param name="headers">The request's headers.</param>
    public static bool AreAll(IHeaderDictionary headers) => headers.Count == One(headers.Host) + One(headers.UserAgent) + One(headers.Accept) + One(headers.AcceptEncoding)
        + One(headers.AcceptLanguage) + One(headers.Authorization) + One(headers.Cookie) + One(headers.ContentType) + (headers.ContentLength is null ? 0 : 1);

    private static int One(StringValues values) => values.Count == 0 ? 0 : 1;
}
