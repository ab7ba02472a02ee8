using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Serve.Controller.AdminApi;

/// <summary>Documentation of the admin API: OpenAPI at <c>/docs/v1/openapi.json</c>, Swagger UI at <c>/docs</c>. Served by this process without external resources.</summary>
internal static class AdminApiDocumentation
{
    private const string Document = "v1";
    private const string Token = "token";
    private static readonly string[] Pages = ["/", "/swagger", "/swagger/{**rest}"];
    private static readonly string[] Documents = ["/openapi.json", $"/openapi/{Document}.json"];

    public static IServiceCollection AddAdminDocs(this IServiceCollection services) => services
        .AddEndpointsApiExplorer()
        .AddSwaggerGen(options =>
        {
            options.SwaggerDoc(Document, new OpenApiInfo { Title = "Serve admin API", Version = Document });
            options.SupportNonNullableReferenceTypes();
            options.AddSecurityDefinition(Token, new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The token of the node." });
            options.AddSecurityRequirement(document => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Token, document)] = [] });
        });

    /// <summary>Whether a path is one of the documentation, or redirects to it.</summary>
    public static bool Contains(PathString path) =>
        path.StartsWithSegments("/docs") || path.StartsWithSegments("/swagger") || path == "/" || Documents.Contains(path.Value);

    /// <summary>Redirects from the paths where users look for the documentation.</summary>
    public static void MapAdminDocs(this IEndpointRouteBuilder routes)
    {
        foreach (var path in Pages)
            routes.MapGet(path, static () => Results.Redirect("/docs")).ExcludeFromDescription();
        foreach (var path in Documents)
            routes.MapGet(path, static () => Results.Redirect($"/docs/{Document}/openapi.json")).ExcludeFromDescription();
    }

    public static IApplicationBuilder UseAdminDocs(this IApplicationBuilder app) => app
        .UseSwagger(options => options.RouteTemplate = "docs/{documentName}/openapi.json")
        .UseSwaggerUI(options =>
        {
            options.RoutePrefix = "docs";
            options.SwaggerEndpoint("v1/openapi.json", "Serve admin API");
            options.DocumentTitle = "Serve admin API";
        });
}
