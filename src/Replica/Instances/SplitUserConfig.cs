using System.Text.Json.Nodes;
using Serve.Replica.Activation;

namespace Serve.Replica.Instances;

/// <summary>A <c>user_config</c>, split into the keys of the platform and those of the class.</summary>
/// <param name="Users">Part for the class; null if there is none.</param>
/// <param name="Apply">Applies the keys of the platform.</param>
internal sealed record SplitUserConfig(JsonObject? Users, Action Apply)
{
    /// <summary>Splits a configuration.</summary>
    /// <exception cref="BadInputException">The value of a platform key is invalid.</exception>
    public static SplitUserConfig Of(JsonObject? whole, IReadOnlyList<IUserConfigKey> keys)
    {
        if (keys.Count == 0)
            return new SplitUserConfig(whole, static () => { });
        var readings = keys.Select(key => key.Read(UserJsonReader.TryFind(whole, key.Name, out var value) ? value : null)).ToList();
        var users = new JsonObject();
        foreach (var (name, value) in whole ?? [])
        {
            if (!keys.Any(key => UserJsonReader.Same(key.Name, name)))
                users[name] = value?.DeepClone();
        }

        var isNothing = whole is null || (users.Count == 0 && whole.Count > 0);
        return new SplitUserConfig(isNothing ? null : users, () => readings.ForEach(static apply => apply()));
    }
}
