using Microsoft.AspNetCore.Routing;

namespace Serve;

/// <summary>A deployment that maps its own endpoints, filters and groups instead of using the automatic binding of its methods.</summary>
public interface IIngress
{
    /// <summary>Maps the endpoints. Called once, after the constructor. Paths are relative to the application's route prefix.</summary>
    /// <param name="routes">The route builder, as in a minimal API.</param>
    void Map(IEndpointRouteBuilder routes);
}
