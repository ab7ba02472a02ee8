using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Serialization;

/// <summary>What the codec asks about types.</summary>
internal static class ValueTypeTraits
{
    private static readonly ConcurrentDictionary<Type, bool> Unmanaged = new();
    private static readonly ConcurrentDictionary<string, Type?> ByName = new();

    /// <summary>Whether a value may be copied byte by byte into another process: no references inside, and no pointers, which mean nothing there.</summary>
    public static bool IsUnmanaged(Type type)
    {
        if (type.IsPrimitive)
            return type != typeof(nint) && type != typeof(nuint);
        return type.IsValueType && !type.IsByRefLike && (type.IsEnum || Unmanaged.GetOrAdd(type, HasOnlyUnmanagedFields));
    }

    public static int SizeOf(Type type) => RuntimeHelpers.SizeOf(type.TypeHandle);

    public static bool IsTuple(Type type) => type is { IsValueType: true, IsGenericType: true } && type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal);

    public static bool Is(Type type, Type definition) => type.IsGenericType && type.GetGenericTypeDefinition() == definition;

    /// <summary><c>ActorHandle&lt;TActor&gt;</c> where a type is that, or one of the runtime's that derive from it; null for all others.</summary>
    public static Type? HandleOf(Type? type)
    {
        while (type is not null && !Is(type, typeof(ActorHandle<>)))
            type = type.BaseType;
        return type;
    }

    /// <summary>A type by the name it gave itself in another process; also of assemblies that are loaded but not found by themselves.</summary>
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
