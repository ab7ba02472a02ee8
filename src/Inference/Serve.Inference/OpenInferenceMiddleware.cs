using Microsoft.AspNetCore.Http;
using Serve.Inference.Grpc;
using Serve.Inference.Models;
using Serve.Inference.Rest;
using Serve.Routing;
using Serve.Runtime.RawGrpc;
using Serve.Specs;

namespace Serve.Inference;

/// <summary>
/// Answers the Open Inference Protocol where it concerns the server and not one model's replica: <c>/v2</c> over REST, <c>inference.GRPCInferenceService</c> over
/// gRPC. What an application claims by its route prefix stays the application's; one at <c>/</c> gives way once a model is deployed.
/// </summary>
/// <param name="next">The rest of the gateway.</param>
/// <param name="table">Who claims which path.</param>
/// <param name="server">What is answered.</param>
/// <param name="rest">REST.</param>
/// <param name="rpc">gRPC.</param>
/// <param name="options">Its settings.</param>
internal sealed class OpenInferenceMiddleware(
    RequestDelegate next, RouteTable table, ServedModelCatalog server, ServerRestEndpoints rest, ServerGrpcService rpc, OpenInferenceOptions options)
{
    private readonly string _rootPath = options.Http.RootPath.TrimEnd('/');
    private readonly string _protocol = options.Http.RootPath.TrimEnd('/') + "/v2";

    /// <summary>Serves one request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Completes when it is answered.</returns>
    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith(_protocol, StringComparison.Ordinal) && (path.Length == _protocol.Length || path[_protocol.Length] == '/'))
            return AnswerAsync(context, path);
        // A service is called by its name alone: below a root path no application can claim it.
        if (path.StartsWith(ServerGrpcService.Service, StringComparison.Ordinal) && GrpcFrames.IsGrpc(context.Request) && (_rootPath.Length > 0 || !IsClaimed(path)))
            return rpc.AnswerAsync(context, path[ServerGrpcService.Service.Length..], next, _rootPath);
        return next(context);
    }

    private Task AnswerAsync(HttpContext context, string path)
    {
        var below = path[_rootPath.Length..];
        if (below.StartsWith(ApplicationPackage.ModelPrefix, StringComparison.Ordinal) && server.Find(NameIn(below)) is { } entry)
        {
            // Most of what comes: straight on to the model.
            return below.EndsWith("/infer", StringComparison.Ordinal)
                ? next(context)
                : rest.AnswerModelAsync(context, entry, below[ApplicationPackage.ModelPrefix.Length..], next);
        }

        return IsClaimed(below) ? next(context) : rest.AnswerServerAsync(context, below);
    }

    private static ReadOnlySpan<char> NameIn(string path)
    {
        var name = path.AsSpan(ApplicationPackage.ModelPrefix.Length);
        return name.IndexOf('/') is >= 0 and var end ? name[..end] : name;
    }

    private bool IsClaimed(string path)
    {
        foreach (var entry in table.Current.ByLongestPrefix)
        {
            var prefix = entry.Route.RoutePrefix!;
            if (prefix == "/")
                return !server.HasModels();
            if (path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || path[prefix.Length] == '/'))
                return true;
        }

        return false;
    }
}
