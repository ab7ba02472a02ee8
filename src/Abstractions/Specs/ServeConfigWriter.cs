using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Writes what <see cref="ServeConfigReader"/> reads: config files and REST bodies. Unset keys are left out.</summary>
public static class ServeConfigWriter
{
    /// <summary>Writes a whole config file.</summary>
    /// <param name="config">The config.</param>
    /// <returns>The file as JSON.</returns>
    public static JsonObject Write(ServeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ServeConfigKeys.Table.Write(config);
    }

    /// <summary>Writes one application: an entry of <c>applications</c>.</summary>
    /// <param name="application">The application.</param>
    /// <returns>The application as JSON.</returns>
    public static JsonObject Write(ApplicationConfig application)
    {
        ArgumentNullException.ThrowIfNull(application);
        return ApplicationConfigKeys.Table.Write(application);
    }
}
