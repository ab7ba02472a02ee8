using System.Text.Json.Nodes;

namespace Serve.Replica.Instances;

/// <summary>A key of <c>user_config</c> that is the platform's own: the class's <c>Reconfigure</c> does not see it, and needs not be there.</summary>
public interface IUserConfigKey
{
    /// <summary>The key.</summary>
    string Name { get; }

    /// <summary>Reads a value; nothing changes yet.</summary>
    /// <param name="value">The value; null when the key is not there, which means every value at its default.</param>
    /// <returns>Puts it in force.</returns>
    /// <exception cref="BadInputException">It cannot be read.</exception>
    Action Read(JsonNode? value);
}
