using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Serialization;

/// <summary>Finds out before sending why a type cannot be serialized as JSON, or would lose data.</summary>
internal static class SerializationObstacleFinder
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Type[] BoundToProcess =
    [
        typeof(Delegate), typeof(Stream), typeof(Task), typeof(Thread), typeof(WaitHandle), typeof(System.Runtime.InteropServices.SafeHandle),
        typeof(MemberInfo), typeof(Assembly), typeof(Cluster), typeof(CancellationTokenSource), typeof(System.Linq.Expressions.Expression), typeof(Timer),
    ];

    /// <summary>Returns the reason, or null if the type can be serialized.</summary>
    public static string? Find(Type type, JsonSerializerOptions json) => Find(type, json, []);

    private static string? Find(Type type, JsonSerializerOptions json, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (!seen.Add(type))
            return null;
        if (Bound(type) is { } bound)
            return bound;
        if (type.IsPrimitive || type == typeof(string) || type == typeof(object))
            return null;
        var info = json.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => Element(type) is { } element ? Find(element, json, seen) : null,
            JsonTypeInfoKind.Dictionary => info.ElementType is { } value ? Find(value, json, seen) : null,
            JsonTypeInfoKind.Object => Members(type, info, json, seen),
            _ => null,
        };

        Type? Element(Type collection) => info.ElementType ?? collection.GetElementType();
    }

    private static string? Bound(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
            return "a delegate consists of code and captured variables of this process. Pass data, and create the delegate inside the task";
        if (type.Name.StartsWith("<>c", StringComparison.Ordinal))
            return "a closure holds captured variables of this process. Pass them as arguments";
        if (type == typeof(nint) || type == typeof(nuint) || type.IsPointer || type.IsFunctionPointer)
            return "a pointer is not valid in another process. Pass the data it points to";
        if (type == typeof(CancellationToken))
            return "a cancellation token belongs to this process. Declare a CancellationToken parameter, which the runtime provides";
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var definition &&
            (definition == typeof(IAsyncEnumerable<>) || definition == typeof(IEnumerator<>) || definition == typeof(ValueTask<>)))
            return $"{CSharpTypeNames.Format(type)} is an operation in this process. Pass its items or its result";
        return Array.Exists(BoundToProcess, bound => bound.IsAssignableFrom(type))
            ? $"{CSharpTypeNames.Format(type)} belongs to this process. Pass the information to open or create it instead, such as a path"
            : null;
    }

    private static string? Members(Type type, JsonTypeInfo info, JsonSerializerOptions json, HashSet<Type> seen)
    {
        if ((type.IsInterface || type.IsAbstract) && info.PolymorphismOptions is null)
            return $"the concrete class of {CSharpTypeNames.Format(type)} is not known. Declare the class itself, or add [JsonDerivedType] attributes";
        if (info.Properties.Count == 0 && HasState(type))
            return $"{CSharpTypeNames.Format(type)} has no public properties or fields, so its content would be lost";
        if (info.CreateObject is null && !type.IsAbstract && !info.Properties.Any(property => property.AssociatedParameter is not null) && info.PolymorphismOptions is null)
            return $"{CSharpTypeNames.Format(type)} has no public constructor that accepts its properties";
        foreach (var property in info.Properties)
        {
            if (property.Get is not null && Find(property.PropertyType, json, seen) is { } found)
                return $"its {property.Name}: {found}";
        }

        return null;
    }

    private static bool HasState(Type type)
    {
        for (var level = type; level is not null && level != typeof(object); level = level.BaseType)
        {
            if (level.GetFields(Own | BindingFlags.DeclaredOnly).Length > 0)
                return true;
        }

        return false;
    }
}
