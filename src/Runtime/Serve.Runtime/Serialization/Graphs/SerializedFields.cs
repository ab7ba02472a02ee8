using System.Reflection;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Selects the fields that make up a value: all fields of all levels, except fields marked [NonSerialized] and caches of hash codes.</summary>
internal static class SerializedFields
{
    public const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // The others hold addresses of this process, or are set when the exception is thrown.
    private static readonly string[] ExceptionFields = ["_message", "_innerException", "_helpURL", "_source", "_HResult", "_xcode"];

    /// <summary>Returns the fields in a fixed order, derived classes first.</summary>
    /// <exception cref="UnserializableValueException">A base class cannot be sent.</exception>
    public static FieldInfo[] Of(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType)
        {
            var own = level.GetFields(Own);
            if (level == typeof(Exception))
            {
                fields.AddRange(own.Where(field => ExceptionFields.Contains(field.Name)));
                continue;
            }

            if (level != type && IsHashCollection(level))
                continue;
            var isPlatform = GraphTypeRules.IsPlatform(level);
            if (level != type && own.Length > 0 && isPlatform && !GraphTypeRules.IsPlainPlatformType(level))
                throw new UnserializableValueException(type, GraphTypeRules.UnknownPlatformType(level));
            var caches = isPlatform || level.IsValueType ? [] : HashCodeUse.FindCaches(level);
            fields.AddRange(own.Where(field => !IsExcluded(field) && field.Name is not ("_monitor" or "_syncRoot") && !caches.Contains(field.Name)));
        }

        return [.. fields];
    }

    /// <summary>Whether a field is marked [NonSerialized].</summary>
#pragma warning disable SYSLIB0050 // The attribute is not obsolete, only its reader.
    public static bool IsExcluded(FieldInfo field) => field.IsNotSerialized;
#pragma warning restore SYSLIB0050

    public static bool IsHashCollection(Type type) => ValueTypeTraits.Is(type, typeof(Dictionary<,>)) || ValueTypeTraits.Is(type, typeof(HashSet<>));
}
