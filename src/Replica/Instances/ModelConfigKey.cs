using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Instances;

/// <summary>A key with the model of a constructor parameter. Another value takes effect when the replica restarts.</summary>
/// <param name="name">Name of the key.</param>
/// <param name="taken">Value at the start of the replica; null for none.</param>
/// <param name="logger">Log for ignored changes.</param>
internal sealed partial class ModelConfigKey(string name, JsonNode? taken, ILogger logger) : IUserConfigKey
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public Action Read(JsonNode? value) => JsonNode.DeepEquals(value, taken) ? static () => { } : () => Log.Later(logger, name);

    private static partial class Log
    {
        [LoggerMessage(EventId = 5020, Level = LogLevel.Warning, Message = "user_config.{Key} has changed; the new model is loaded when the replica restarts")]
        public static partial void Later(ILogger logger, string key);
    }
}
