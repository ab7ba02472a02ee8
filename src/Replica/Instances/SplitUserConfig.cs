using System.Text.Json.Nodes;
using Serve.Replica.Activation;

namespace Serve.Replica.Instances;

/// <summary>A <c>user_config</c>, parted into what is the platform's and what is the class's. Immutable.</summary>
/// <param name="Users">What the class is handed; null when nothing of it is for the class.</param>
/// <param name="Apply">Puts the platform's own in force.</param>
internal sealed record SplitUserConfig(JsonObject? Users, Action Apply)
{
    /// <summary>Parts a configuration.</summary>
    /// <exception cref="BadInputException">A platform's key cannot be read.</exception>
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
