using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Replica.Http;

/// <summary>Builder that is passed to <see cref="IIngress.Configure"/>: a branch of the replica's pipeline, which notes the middleware that is added. Used during the start only.</summary>
internal sealed class IngressMiddlewareBuilder(IApplicationBuilder branch) : IApplicationBuilder
{
    private readonly List<string> _names = [];

    /// <summary>Whether nothing was added.</summary>
    public bool IsEmpty => _names.Count == 0;

    public IServiceProvider ApplicationServices
    {
        get => branch.ApplicationServices;
        set => branch.ApplicationServices = value;
    }

    public IFeatureCollection ServerFeatures => branch.ServerFeatures;

    public IDictionary<string, object?> Properties => branch.Properties;

    public IApplicationBuilder Use(Func<RequestDelegate, RequestDelegate> middleware)
    {
        // The factory of a middleware class has the name of the class as its text, which debuggers show.
        _names.Add(middleware.Target?.ToString() ?? "");
        branch.Use(middleware);
        return this;
    }

    /// <summary>Returns whether this middleware was added.</summary>
    public bool Contains(MetadataMiddleware middleware) => _names.Any(name => name.EndsWith("." + middleware.ClassName, StringComparison.Ordinal));

    /// <summary>Builds the added middleware, before the given rest of the pipeline.</summary>
    public RequestDelegate BuildBefore(RequestDelegate rest)
    {
        branch.Run(rest);
        return branch.Build();
    }

    public RequestDelegate Build() => branch.Build();

    public IApplicationBuilder New() => branch.New();
}
