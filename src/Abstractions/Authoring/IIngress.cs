using Microsoft.AspNetCore.Routing;

namespace Serve;

/// <summary>A deployment that maps its own endpoints, filters and groups instead of having its methods bound for it.</summary>
public interface IIngress
{
    /// <summary>Maps the endpoints. Called once, after the constructor; paths are relative to the application's route prefix.</summary>
    /// <param name="routes">Where to map them, as in a minimal API.</param>
    void Map(IEndpointRouteBuilder routes);
}
