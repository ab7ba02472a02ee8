using System.Net;
using System.Text;
using Serve.Hosting;

namespace Serve.Workflows.Api;

/// <summary>Publishes the workflow API of a host to other processes of the same user, for <c>serve workflow</c> and for the admin API of a node whose worker runs the host.</summary>
internal static class LocalWorkflowApi
{
    public static LocalApiPublisher Publish(WorkflowHost host, string name) =>
        new(LocalApiAnnouncement.OfWorkflowHosts(), name, context => RespondAsync(host, context), TimeProvider.System);

    private static async Task RespondAsync(WorkflowHost host, HttpListenerContext context)
    {
        var request = context.Request;
        using var reader = new StreamReader(request.InputStream, Encoding.UTF8);
        var response = await WorkflowApi.RespondAsync(
            host, new(request.HttpMethod, request.RawUrl!.Split('?', 2)[0], request.QueryString, request.Headers["Idempotency-Key"], () => reader.ReadToEndAsync()), CancellationToken.None).ConfigureAwait(false);
        var body = Encoding.UTF8.GetBytes(response.Json);
        context.Response.StatusCode = (int)response.Status;
        context.Response.ContentType = response.ContentType;
        context.Response.ContentLength64 = body.Length;
        await context.Response.OutputStream.WriteAsync(body).ConfigureAwait(false);
    }
}
