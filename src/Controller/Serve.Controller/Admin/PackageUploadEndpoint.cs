using Microsoft.AspNetCore.Http;
using Serve.Admin;

namespace Serve.Controller;

/// <summary>Takes uploaded packages.</summary>
internal static class PackageUploadEndpoint
{
    public static async Task<IResult> HandleAsync(HttpRequest request, NodeStateDirectory directory, ControllerOptions options, IApplicationSource source, CancellationToken cancellationToken)
    {
        var hash = await new PackageUploadReceiver(directory, options, source).ReceiveAsync(request.Body, cancellationToken);
        return Results.Json(new UploadedPackageReference { ImportPath = "package:" + hash }, ServeJson.Options);
    }
}
