using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Serialization;

/// <summary>Properties of types that determine their encoding.</summary>
public static class ValueTypeTraits
{
    private static readonly ConcurrentDictionary<Type, bool> Unmanaged = new();
    private static readonly ConcurrentDictionary<string, Type?> ByName = new();

    /// <summary>Returns whether a value can be copied bytewise to another process: it contains neither references nor pointers.</summary>
    public static bool IsUnmanaged(Type type)
    {
        if (type.IsPrimitive)
            return type != typeof(nint) && type != typeof(nuint);
        return type.IsValueType && !type.IsByRefLike && (type.IsEnum || Unmanaged.GetOrAdd(type, HasOnlyUnmanagedFields));
    }

    public static int SizeOf(Type type) => RuntimeHelpers.SizeOf(type.TypeHandle);

    public static bool Is(Type type, Type definition) => type.IsGenericType && type.GetGenericTypeDefinition() == definition;

    /// <summary>Returns <c>ActorHandle&lt;TActor&gt;</c> for that type and types of the runtime derived from it; null for all others.</summary>
    public static Type? HandleOf(Type? type)
    {
        while (type is not null && !Is(type, typeof(ActorHandle<>)))
            type = type.BaseType;
        return type;
    }

    /// <summary>Resolves the name of a type of another process, including types of assemblies that are loaded but not resolvable by name.</summary>
    public static Type? Find(string name) => ByName.GetOrAdd(name, static name => Type.GetType(name, FindAssembly, null, throwOnError: false));

    private static Assembly? FindAssembly(AssemblyName name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (IOException)
        {
            return Array.Find(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == name.Name);
        }
    }

    private static bool HasOnlyUnmanagedFields(Type type) => Array.TrueForAll(
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), field => IsUnmanaged(field.FieldType));
}
