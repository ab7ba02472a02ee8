using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Controller.Applications;
using Serve.Controller.Logs;
using Serve.Controller.Store;

namespace Serve.Controller.AdminApi;

/// <summary>Streams the logs of an application's replicas.</summary>
internal static class ReplicaLogEndpoint
{
    private const int MaxTail = 100_000;

    public static async Task HandleAsync(
        string application, string? deployment, string? replica, int? tail, bool? follow, HttpContext context,
        ServeController controller, NodeStateDirectory directory, TimeProvider time, CancellationToken cancellationToken)
    {
        if (tail is < 0 or > MaxTail)
            throw new DefinitionException($"tail must be from 0 to {MaxTail}, but was {tail}.");
        var selection = new ReplicaLogSelection(directory, application, deployment, replica);
        Check(selection, controller, application, deployment, replica);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.StartAsync(cancellationToken);
        await using var writer = new StreamWriter(context.Response.Body, leaveOpen: true);
        await foreach (var line in new ReplicaLogReader(selection, time).ReadAsync(tail ?? 100, follow ?? false, cancellationToken))
        {
            await writer.WriteAsync(line.Text.AsMemory(), cancellationToken);
            await writer.WriteAsync('\n');
            if (line.IsLast)
                await writer.FlushAsync(cancellationToken);
        }
    }

    private static void Check(ReplicaLogSelection selection, ServeController controller, string application, string? deployment, string? replica)
    {
        // The logs of deleted applications and stopped replicas can still be read.
        var details = controller.GetDetails(application);
        if (details is null && !selection.Exists())
            throw ApplicationNotFoundException.Of(application, controller.GetDetails().Applications.Keys);
        if (deployment is not null && details?.Deployments.ContainsKey(deployment) != true && !selection.Exists())
            throw ApplicationNotFoundException.OfPart(application, "deployment", deployment, details?.Deployments.Keys ?? []);
        if (replica is null || selection.Exists())
            return;
        var known = (details?.Deployments.Values.Where(each => deployment is null || each.Name == deployment).SelectMany(each => each.Replicas) ?? [])
            .Select(each => each.ReplicaId[(each.ReplicaId.LastIndexOf('#') + 1)..]).ToList();
        if (!known.Contains(selection.Suffix!))
            throw ApplicationNotFoundException.OfPart(application, "replica", replica, known);
    }
}
