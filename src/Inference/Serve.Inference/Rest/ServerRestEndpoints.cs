using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Serve.Http;
using Serve.Inference.Models;
using Serve.Routing;

namespace Serve.Inference.Rest;

/// <summary>REST endpoints of the server part of the protocol. Holds no state.</summary>
/// <param name="server">The models.</param>
/// <param name="options">Clients that may load and unload models.</param>
/// <param name="lifetime">Lifetime of the gateway, which is not ready while it drains.</param>
internal sealed class ServerRestEndpoints(ServedModelCatalog server, OpenInferenceOptions options, IHostApplicationLifetime lifetime)
{
    /// <summary>Serves paths below <c>/v2</c> that no application claims.</summary>
    /// <param name="context">The request.</param>
    /// <param name="path">The path, starting with <c>/v2</c>.</param>
    public Task AnswerServerAsync(HttpContext context, string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries)[1..];
        return (context.Request.Method, parts) switch
        {
            ("GET", []) => WriteAsync(context, new { name = ServedModelCatalog.Name, version = ServedModelCatalog.Version, extensions = ServedModelCatalog.Extensions }),
            ("GET", ["health", "live"]) => WriteAsync(context, new { live = true }),
            ("GET", ["health", "ready"]) => ReadyAsync(context),
            ("GET", ["models", "stats"]) => StatisticsAsync(context, null, null),
            ("POST", ["repository", "index"]) => IndexAsync(context),
            ("POST", ["repository", "models", var model, "load"]) => GuardedAsync(context, () => LoadAsync(context, model)),
            ("POST", ["repository", "models", var model, "unload"]) => GuardedAsync(context, () => server.Repository.UnloadAsync(model, context.RequestAborted)),
            (_, ["models", var model, ..]) => throw RepositoryModelEntry.UnknownModel(Uri.UnescapeDataString(model)),
            (var method, _) => throw new NoSuchRouteException($"No endpoint for {method} '{path}'. GET /v2 lists the supported extensions."),
        };
    }

    /// <summary>Serves the paths of a model that concern all its replicas, and forwards the others to one replica.</summary>
    /// <param name="context">The request.</param>
    /// <param name="entry">The model's application.</param>
    /// <param name="path">The path, starting with the model's name.</param>
    /// <param name="next">The rest of the gateway.</param>
    public Task AnswerModelAsync(HttpContext context, ApplicationRouteEntry entry, string path, RequestDelegate next) =>
        (context.Request.Method, path.Split('/', StringSplitOptions.RemoveEmptyEntries)) switch
        {
            ("GET", [var model, "stats"]) => StatisticsAsync(context, model, null),
            ("GET", [var model, "versions", var version, "stats"]) => StatisticsAsync(context, model, version),
            ("GET", [var model, "ready"]) when entry.Ingress.Replicas.Count == 0 => NotReadyAsync(context, model),
            ("GET", [var model, "versions", _, "ready"]) when entry.Ingress.Replicas.Count == 0 => NotReadyAsync(context, model),
            _ => next(context),
        };

    private static Task NotReadyAsync(HttpContext context, string model) =>
        WriteAsync(context, new { name = model, ready = false }, StatusCodes.Status503ServiceUnavailable);

    private static async Task WriteAsync<T>(HttpContext context, T document, int status = StatusCodes.Status200OK)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(document, ServeJson.Options);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    private Task ReadyAsync(HttpContext context)
    {
        var ready = !lifetime.ApplicationStopping.IsCancellationRequested && server.IsReady;
        // The specification has the property live where it means ready; the response has both.
        return WriteAsync(context, new { live = true, ready }, ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private async Task StatisticsAsync(HttpContext context, string? model, string? version)
    {
        List<ModelStatistics> found = await server.GetStatisticsAsync(model, version, context.RequestAborted);
        await WriteAsync(context, new { model_stats = found });
    }

    private async Task IndexAsync(HttpContext context)
    {
        var index = await server.IndexAsync(await ReadyOnlyAsync(context), context.RequestAborted);
        await WriteAsync(context, index.Select(each => new
        {
            name = each.Name,
            version = each.Version.Length == 0 ? null : each.Version,
            state = each.State,
            reason = each.Reason,
        }));
    }

    private static async Task<bool> ReadyOnlyAsync(HttpContext context)
    {
        using var json = await ReadAsync(context);
        if (json is null || !json.RootElement.TryGetProperty("ready"u8, out var ready))
            return false;
        return ready.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? ready.GetBoolean()
            : throw new BadInputException($"\"ready\" must be true or false, but was {ready.GetRawText()}.");
    }

    private async Task LoadAsync(HttpContext context, string model)
    {
        using (var json = await ReadAsync(context))
        {
            if (json is not null && json.RootElement.TryGetProperty("parameters"u8, out var parameters))
            {
                if (parameters.ValueKind != JsonValueKind.Object)
                    throw new BadInputException($"\"parameters\" must be an object, but was {parameters.GetRawText()}.");
                ServedModelCatalog.ValidateLoadParameters(parameters.EnumerateObject().Select(parameter => parameter.Name));
            }
        }

        await server.Repository.LoadAsync(model, context.RequestAborted);
    }

    // Returns null for an empty body.
    private static async Task<JsonDocument?> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (body.Length == 0)
            return null;
        try
        {
            body.Position = 0;
            var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                json.Dispose();
                throw new BadInputException("The request must be a JSON object.");
            }

            RequireUnicodeNames(json.RootElement);
            return json;
        }
        catch (JsonException broken)
        {
            throw new BadInputException($"The request is not valid JSON: {broken.Message}", broken);
        }
        catch (InvalidOperationException broken)
        {
            throw new BadInputException($"The request contains a name that is not valid Unicode: {broken.Message}", broken);
        }
    }

    // The parser accepts a surrogate without its pair; reading the name throws.
    private static void RequireUnicodeNames(JsonElement json)
    {
        foreach (var property in json.EnumerateObject())
        {
            _ = property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object)
                RequireUnicodeNames(property.Value);
        }
    }

    // Only operators may load and unload models.
    private async Task GuardedAsync(HttpContext context, Func<Task> act)
    {
        if (RequestGuard.Check(context.Request, options.Guard) is { } refusal)
            await ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
        else
            await act();
    }
}
