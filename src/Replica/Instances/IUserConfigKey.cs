using System.Text.Json.Nodes;

namespace Serve.Replica.Instances;

/// <summary>A key of <c>user_config</c> that the platform handles; it is not passed to the class's <c>Reconfigure</c>, which is not required either.</summary>
public interface IUserConfigKey
{
    /// <summary>Name of the key.</summary>
    string Name { get; }

    /// <summary>Reads a value without applying it.</summary>
    /// <param name="value">The value; null if the key is absent, which restores the defaults.</param>
    /// <returns>Action that applies the value.</returns>
    /// <exception cref="BadInputException">The value is invalid.</exception>
    Action Read(JsonNode? value);
}
