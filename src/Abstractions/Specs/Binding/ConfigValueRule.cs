using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>What values a key takes: how one is read, what range it has, how two sources merge, how it is written.</summary>
internal abstract class ConfigValueRule<T>
{
    /// <summary>Whether <c>null</c> is a value rather than the key left out.</summary>
    public virtual bool AcceptsNull => false;

    /// <summary>Reads and checks a value; what is wrong goes to <paramref name="errors"/>.</summary>
    public abstract bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out T value);

    /// <summary>Checks a value that came from elsewhere, an attribute for example.</summary>
    public virtual void Check(T value, string path, ConfigErrorCollector errors)
    {
    }

    public virtual T Merge(T under, T over) => over;

    public abstract JsonNode? Write(T value);
}
