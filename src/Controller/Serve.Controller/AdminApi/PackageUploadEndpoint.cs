using Microsoft.AspNetCore.Http;
using Serve.Admin;
using Serve.Controller.Packages;
using Serve.Controller.Store;

namespace Serve.Controller.AdminApi;

/// <summary>Receives uploaded packages.</summary>
internal static class PackageUploadEndpoint
{
    public static async Task<IResult> HandleAsync(HttpRequest request, NodeStateDirectory directory, ControllerOptions options, CancellationToken cancellationToken)
    {
        var hash = await new PackageUploadReceiver(directory, options).ReceiveAsync(request.Body, cancellationToken);
        return Results.Json(new UploadedPackageReference { ImportPath = "package:" + hash }, ServeJson.Options);
    }
}

/// <summary>Marks the endpoint whose request body may be as large as a package.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageUploadAttribute : Attribute;
