using Microsoft.AspNetCore.Http;

namespace Serve.Inference.Models;

/// <summary>The name under which a model is served: the end of its route prefix <c>/v2/models/NAME</c>, or the application's name under any other prefix.</summary>
/// <param name="application">The application's name.</param>
internal sealed class ServedModelName(string application)
{
    private const string Models = "/v2/models/";

    private volatile Known? _known;

    public string Default => _known?.Name ?? application;

    public string Of(HttpContext context)
    {
        var path = context.Request.PathBase.Value ?? "";
        if (_known is { } found && found.PathBase == path)
            return found.Name;
        var at = path.LastIndexOf(Models, StringComparison.Ordinal);
        var name = at >= 0 && at + Models.Length < path.Length ? path[(at + Models.Length)..] : application;
        _known = new(path, name);
        return name;
    }

    private sealed record Known(string PathBase, string Name);
}
