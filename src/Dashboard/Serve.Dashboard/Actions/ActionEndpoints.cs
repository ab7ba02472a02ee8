using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Dashboard.Sources;
using Serve.Http;

namespace Serve.Dashboard.Actions;

/// <summary>Actions of the pages that the admin API does not have.</summary>
internal static class ActionEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    /// <param name="routes">The server.</param>
    public static void MapActions(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/v1/models/{model}/load", static (string model, HttpContext context, IDashboardSource source) => SetLoadedAsync(context, source, model, isLoad: true))
            .WithTags("Models").WithSummary("Loads a model, or reloads it with the current content of its files, and waits until it is ready.").Produces(200).ProducesProblem(400).ProducesProblem(404);
        routes.MapPost("/api/v1/models/{model}/unload", static (string model, HttpContext context, IDashboardSource source) => SetLoadedAsync(context, source, model, isLoad: false))
            .WithTags("Models").WithSummary("Unloads a model after its ongoing requests.").Produces(200).ProducesProblem(404);
        routes.MapPost("/api/v1/console", SendAsync)
            .WithTags("Dashboard").WithSummary("Sends a request to an application of this node and returns its response as data.").Produces<ConsoleResponse>().ProducesProblem(400).ProducesProblem(504);
    }

    private static async Task SetLoadedAsync(HttpContext context, IDashboardSource source, string model, bool isLoad)
    {
        try
        {
            await source.SetModelLoadedAsync(model, isLoad, context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status200OK;
        }
        catch (ServeException refused)
        {
            await ProblemDetailsWriter.WriteAsync(context, refused);
        }
    }

    private static async Task SendAsync(HttpContext context, GatewayConsole console)
    {
        var request = await JsonSerializer.DeserializeAsync<ConsoleRequest>(context.Request.Body, ServeJson.Options, context.RequestAborted)
            ?? throw new DefinitionException("The body must be a JSON object with a path.");
        try
        {
            var response = await console.SendAsync(request, context.RequestAborted);
            await context.Response.WriteAsJsonAsync(response, ServeJson.Options, context.RequestAborted);
        }
        catch (TimeoutException late)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status504GatewayTimeout, ErrorReason.Timeout, late.Message);
        }
        catch (HttpRequestException failed)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status502BadGateway, ErrorReason.Unreachable, $"The gateway did not respond: {failed.Message}");
        }
    }
}
