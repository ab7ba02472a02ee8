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
            throw new ApplicationNotFoundException($"No application is named '{application}'. {Known("Applications", controller.GetDetails().Applications.Keys)}");
        if (deployment is not null && details?.Deployments.ContainsKey(deployment) != true && !selection.Exists())
            throw new ApplicationNotFoundException($"Application '{application}' has no deployment '{deployment}'. {Known("Its deployments", details?.Deployments.Keys ?? [])}");
        if (replica is not null && !selection.Exists()
            && details?.Deployments.Values.Any(known => known.Replicas.Any(candidate => candidate.ReplicaId.EndsWith("#" + selection.Suffix, StringComparison.Ordinal))) != true)
            throw new ApplicationNotFoundException($"Application '{application}' has no replica '{replica}'. {Known("Its replicas", details?.Deployments.Values.SelectMany(known => known.Replicas).Select(known => known.ReplicaId) ?? [])}");
    }

    private static string Known(string kind, IEnumerable<string> names)
    {
        var list = string.Join(", ", names.Order(StringComparer.Ordinal));
        return list.Length == 0 ? $"{kind}: none." : $"{kind}: {list}.";
    }
}
