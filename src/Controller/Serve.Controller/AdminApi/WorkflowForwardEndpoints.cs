using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Serve.Hosting;
using Serve.Http;

namespace Serve.Controller.AdminApi;

/// <summary>
/// The workflow API of the applications of this node: requests are forwarded to the workflow hosts of the node's process and its workers, which announce themselves. A request about one workflow goes
/// to the host that has it; lists are combined.
/// </summary>
internal static class WorkflowForwardEndpoints
{
    private const string Root = "/api/workflows";
    private const string RayEvents = "/event/send_event";
    private const string IdempotencyKey = "Idempotency-Key";

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Maps the API.</summary>
    /// <param name="routes">Where it is mapped; authorization is checked before.</param>
    /// <param name="cluster">The node's cluster, which knows the workers.</param>
    public static void MapWorkflows(this IEndpointRouteBuilder routes, Cluster cluster)
    {
        foreach (var pattern in new[] { Root + "/{**path}", RayEvents + "/{id}" })
        {
            routes.Map(pattern, (HttpContext context) => ForwardAsync(context, cluster)).WithTags("Workflows")
                .WithSummary("Lists and manages the workflows of the node's applications, and accepts their events.");
        }
    }

    private static async Task ForwardAsync(HttpContext context, Cluster cluster)
    {
        var own = cluster.ListWorkers().Select(worker => worker.Pid).Append(Environment.ProcessId).ToHashSet();
        var hosts = LocalApiAnnouncement.OfWorkflowHosts().Find().Where(host => own.Contains(host.Pid)).ToArray();
        if (hosts.Length == 0)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status404NotFound, ErrorReason.NoSuchWorkflow, "No application of this node runs workflows. An application starts them with StartWorkflows.");
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var responses = new List<HttpResponseMessage>();
        try
        {
            foreach (var host in hosts)
            {
                var response = await SendAsync(context, host, body);
                responses.Add(response);
                if (!IsCombined(context.Request) && response.StatusCode != System.Net.HttpStatusCode.NotFound)
                    break;
            }

            if (IsCombined(context.Request) && responses.TrueForAll(response => response.IsSuccessStatusCode))
                await WriteCombinedAsync(context, responses);
            else
                await WriteAsync(context, responses.Find(response => !response.IsSuccessStatusCode && IsCombined(context.Request)) ?? responses[^1]);
        }
        finally
        {
            responses.ForEach(response => response.Dispose());
        }
    }

    /// <summary>Whether the response is a list of the workflows of all hosts.</summary>
    private static bool IsCombined(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) && request.Path.Value!.TrimEnd('/') == Root) || (HttpMethods.IsPost(request.Method) && request.Path == Root + "/resume");

    private static async Task<HttpResponseMessage> SendAsync(HttpContext context, LocalApiAnnouncement host, MemoryStream body)
    {
        // The undecoded path, so that a name can contain a slash.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), host.Address + target) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", host.Token) } };
        if (body.Length > 0)
            request.Content = new ByteArrayContent(body.ToArray());
        if (context.Request.Headers[IdempotencyKey] is [{ Length: > 0 } key])
            request.Headers.TryAddWithoutValidation(IdempotencyKey, key);
        return await Http.SendAsync(request, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, HttpResponseMessage response)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static async Task WriteCombinedAsync(HttpContext context, IEnumerable<HttpResponseMessage> responses)
    {
        var all = new List<JsonNode?>();
        foreach (var response in responses)
            all.AddRange(JsonNode.Parse(await response.Content.ReadAsStringAsync(context.RequestAborted))!.AsArray());
        var ordered = all.OrderBy(item => item is JsonObject workflow ? (string?)workflow["id"] : (string?)item, StringComparer.Ordinal);
        var limit = int.TryParse(context.Request.Query["limit"], out var number) ? number : int.MaxValue;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($"[{string.Join(',', ordered.Take(limit).Select(item => item!.ToJsonString()))}]", context.RequestAborted);
    }
}
