using Microsoft.AspNetCore.Http;
using Serve.Admin;
using Serve.Controller.Packages;

namespace Serve.Controller;

/// <summary>Takes uploaded packages.</summary>
internal static class PackageUploadEndpoint
{
    public static async Task<IResult> HandleAsync(HttpRequest request, NodeStateDirectory directory, ControllerOptions options, CancellationToken cancellationToken)
    {
        var hash = await new PackageUploadReceiver(directory, options).ReceiveAsync(request.Body, cancellationToken);
        return Results.Json(new UploadedPackageReference { ImportPath = "package:" + hash }, ServeJson.Options);
    }
}
