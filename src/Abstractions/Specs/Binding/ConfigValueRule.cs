using System.Reflection;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Reads, validates, merges and writes the values of a configuration key.</summary>
internal abstract class ConfigValueRule
{
    /// <summary>Whether <c>null</c> is a value; otherwise it is the same as an absent key.</summary>
    public virtual bool AcceptsNull => false;

    /// <summary>Reads and validates a value; adds errors to <paramref name="errors"/>.</summary>
    public abstract bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value);

    /// <summary>Validates a value that was not read from JSON.</summary>
    public virtual void Check(object value, string path, ConfigErrorCollector errors)
    {
    }

    /// <summary>Merges the values of two sources.</summary>
    /// <param name="lower">The value with lower precedence.</param>
    /// <param name="upper">The value with higher precedence.</param>
    public virtual object Merge(object lower, object upper) => upper;

    public abstract JsonNode? Write(object value);

    /// <summary>Creates the rule for a property.</summary>
    public static ConfigValueRule For(PropertyInfo property, ConfigKeyAttribute key)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type switch
        {
            _ when type == typeof(int) => new IntegerRangeRule(Math.Max(key.Minimum, int.MinValue), Math.Min(key.Maximum, int.MaxValue), static number => (int)number),
            _ when type == typeof(long) => new IntegerRangeRule(key.Minimum, key.Maximum, static number => number),
            _ when type == typeof(ReplicaCount) => new ReplicaCountRule(key.Minimum, key.Maximum),
            _ when type == typeof(double) => NumberRangeRule.For(key.Format),
            _ when type == typeof(string) && key.Format == ConfigFormat.RoutePrefix => new RoutePrefixRule(),
            _ when type == typeof(string) => new ConstrainedTextRule(NameRules.For(key.Format)),
            _ when type == typeof(bool) => new BooleanRule(),
            _ when type == typeof(JsonObject) => new JsonObjectRule(),
            _ when type == typeof(IReadOnlyDictionary<string, double>) => new ResourceAmountsRule(),
            _ when type == typeof(IReadOnlyList<string>) => new TextListRule(new ConstrainedTextRule(NameRules.For(key.Format))),
            _ when type == typeof(IReadOnlyList<double>) => new NumberListRule(NumberRangeRule.For(key.Format)),
            { IsEnum: true } => new EnumValueRule(type),
            { IsGenericType: true } => new ObjectListRule(type.GetGenericArguments()[0], ConfigKeyTable.For(type.GetGenericArguments()[0])),
            _ => new NestedTableRule(ConfigKeyTable.For(type)),
        };
    }
}
