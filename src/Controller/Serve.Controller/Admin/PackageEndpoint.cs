using Microsoft.AspNetCore.Http;
using Serve.Admin;

namespace Serve.Controller;

/// <summary>Takes uploaded packages.</summary>
internal static class PackageEndpoint
{
    public static async Task<IResult> HandleAsync(HttpRequest request, StateDirectory directory, ControllerOptions options, IApplicationSource source, CancellationToken cancellationToken)
    {
        var hash = await new PackageInbox(directory, options, source).ReceiveAsync(request.Body, cancellationToken);
        return Results.Json(new PackageReference { ImportPath = "package:" + hash }, ServeJson.Options);
    }
}
