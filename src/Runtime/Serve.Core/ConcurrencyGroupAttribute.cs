namespace Serve;

/// <summary>Puts a method of an actor into one of the groups that <see cref="RemoteAttribute.ConcurrencyGroups"/> names: its calls are counted, ordered and run apart from those of other groups.</summary>
/// <param name="name">The group.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConcurrencyGroupAttribute(string name) : Attribute
{
    /// <summary>The group.</summary>
    public string Name => name;
}
