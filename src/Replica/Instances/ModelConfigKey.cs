using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Instances;

/// <summary>A key that says which model a constructor parameter is. The object has its model for good: another value is for the replica's next start.</summary>
/// <param name="name">The key.</param>
/// <param name="taken">The value that the replica started with; null when it had none.</param>
/// <param name="logger">Told of another value.</param>
internal sealed partial class ModelConfigKey(string name, JsonNode? taken, ILogger logger) : IUserConfigKey
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public Action Read(JsonNode? value) => JsonNode.DeepEquals(value, taken) ? static () => { } : () => LogLater(logger, name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "user_config: another {Key} is taken when the replica starts again; the one that it started with stays")]
    private static partial void LogLater(ILogger logger, string key);
}
