using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Inference.Grpc;
using Serve.Inference.Models;
using Serve.Inference.Rest;
using Serve.Routing;
using Serve.Specs;

namespace Serve.Inference;

/// <summary>
/// Serves the server part of the Open Inference Protocol: <c>/v2</c> over REST, <c>inference.GRPCInferenceService</c> and <c>grpc.health.v1.Health</c> over
/// gRPC. Route prefixes of applications take precedence, except for <c>/</c> once a model is deployed.
/// </summary>
/// <param name="next">The rest of the gateway, which forwards requests to replicas.</param>
/// <param name="table">Route prefixes of the applications.</param>
/// <param name="server">The models.</param>
/// <param name="rest">REST endpoints of the server.</param>
/// <param name="grpc">gRPC methods of the server.</param>
/// <param name="health">gRPC health checks.</param>
/// <param name="router">gRPC methods of models.</param>
/// <param name="options">The settings.</param>
internal sealed class OpenInferenceMiddleware(
    RequestDelegate next, RouteTable table, ServedModelCatalog server, ServerRestEndpoints rest, ServerGrpcService grpc, HealthGrpcService health, ModelCallRouter router, OpenInferenceOptions options)
{
    private const string GrpcPath = $"/{ModelGrpcService.Name}/";
    private const string HealthPath = $"/{HealthGrpcService.Name}/";

    private readonly string _rootPath = options.Http.RootPath.TrimEnd('/');
    private readonly string _protocol = options.Http.RootPath.TrimEnd('/') + "/v2";

    /// <summary>Serves a request, or passes it on.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith(_protocol, StringComparison.Ordinal) && (path.Length == _protocol.Length || path[_protocol.Length] == '/'))
            return AnswerAsync(context, path);
        // gRPC paths have no root path, so no application can claim one below a root path.
        if (path.StartsWith(GrpcPath, StringComparison.Ordinal) && IsUnclaimedCall(context.Request, path))
        {
            var method = path[GrpcPath.Length..];
            return method is ModelGrpcService.Infer or ModelGrpcService.StreamInfer
                ? router.RouteAsync(context, method, next, _rootPath)
                : grpc.ServeAsync(context, method);
        }

        if (path.StartsWith(HealthPath, StringComparison.Ordinal) && IsUnclaimedCall(context.Request, path))
            return health.ServeAsync(context, path[HealthPath.Length..]);
        return next(context);
    }

    private bool IsUnclaimedCall(HttpRequest request, string path) => GrpcRequests.IsGrpc(request) && (_rootPath.Length > 0 || !IsClaimed(path));

    private Task AnswerAsync(HttpContext context, string path)
    {
        var below = path[_rootPath.Length..];
        if (below.StartsWith(ApplicationPackage.ModelPrefix, StringComparison.Ordinal) && server.Find(NameIn(below)) is { } entry)
        {
            // The hot path: forwarded to the model without parsing.
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
