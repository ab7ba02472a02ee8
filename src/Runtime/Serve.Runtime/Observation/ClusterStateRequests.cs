using System.Net;
using Serve.Runtime.State;

namespace Serve.Runtime.Observation;

/// <summary>Responds to requests of the state API that other processes send to a program's cluster. Holds no state.</summary>
internal static class ClusterStateRequests
{
    /// <summary>Writes the response to a request.</summary>
    public static async Task RespondAsync(Cluster cluster, HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Url!.AbsolutePath;
        if (path == $"{ClusterStateApi.Root}/{ClusterStateApi.TimelinePath}")
            await WriteTimelineAsync(cluster, response).ConfigureAwait(false);
        else if (ClusterStateApi.Resources.FirstOrDefault(resource => path == $"{ClusterStateApi.Root}/{resource.Path}") is { } found)
            LocalApiServer.Write(response, found.Get(cluster, request.QueryString), ServeJson.State);
        else
            LocalApiServer.WriteProblem(response, HttpStatusCode.NotFound, ErrorReason.NoSuchRoute, $"Unknown path '{path}'.");
    }

    private static async Task WriteTimelineAsync(Cluster cluster, HttpListenerResponse response)
    {
        response.ContentType = "application/json";
        using var buffer = new MemoryStream();
        await cluster.WriteTimeline(buffer).ConfigureAwait(false);
        response.ContentLength64 = buffer.Length;
        buffer.Position = 0;
        await buffer.CopyToAsync(response.OutputStream).ConfigureAwait(false);
    }
}
