using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Linq.Expressions;
using System.Net;
using System.Reflection;
using System.Runtime.InteropServices;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Rules by type: which types cannot be sent, with the remedy, and which classes of the platform are plain data.</summary>
internal static class GraphTypeRules
{
    public const string FieldRemedy = "Mark the field [NonSerialized] and restore it in an [OnDeserialized] method, or add a ValueSerializer for its type to ClusterOptions.Serializers";

    private const string Operation = "it is an operation of this process. Await it, and pass its result or its items";

    private static readonly ConcurrentDictionary<Assembly, bool> PlatformAssemblies = new();

    private static readonly FrozenSet<string> PlatformKeys =
        new[] { "7CEC85D7BEA7798E", "CC7B13FFCD2DDD51", "B03F5F7F11D50A3A", "B77A5C561934E089", "ADB9793829DDAE60", "31BF3856AD364E35" }.ToFrozenSet();

    private static readonly (Type Type, string Reason)[] BoundToProcess =
    [
        (typeof(Delegate), "a delegate consists of code and captured variables of this process. Pass data, and create the delegate inside the task"),
        (typeof(Task), Operation),
        (typeof(Stream), "a stream belongs to this process. Pass its bytes, or the path to open"),
        (typeof(CancellationTokenSource), "cancellation belongs to this process. Declare a CancellationToken parameter, which the runtime provides"),
        (typeof(MemberInfo), "code cannot be sent. Pass a Type or a name"),
        (typeof(Assembly), "code cannot be sent. Pass a Type or a name"),
        (typeof(Expression), "an expression is code of this process"),
        (typeof(SafeHandle), "a handle belongs to this process. Pass the information to open it"),
        (typeof(WaitHandle), "a wait handle belongs to this process"),
        (typeof(Thread), "a thread belongs to this process"),
        (typeof(Timer), "a timer belongs to this process"),
        (typeof(Cluster), "the cluster belongs to this process. Use Cluster.Current in the task"),
    ];

    private static readonly FrozenSet<Type> PlainPlatformTypes = new[]
    {
        typeof(object), typeof(Random), typeof(Version), typeof(ReadOnlyCollection<>), typeof(Collection<>), typeof(ObservableCollection<>), typeof(ReadOnlyDictionary<,>), typeof(IPEndPoint),
        typeof(DnsEndPoint), typeof(EndPoint), typeof(NumberFormatInfo), typeof(System.Diagnostics.Stopwatch), typeof(EventArgs), typeof(Attribute), typeof(EqualityComparer<>), typeof(Comparer<>), typeof(List<>),
    }.ToFrozenSet();

    /// <summary>Returns why no value of a type can be sent; null if that depends on the value.</summary>
    public static string? FindObstacle(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint) || type.IsByRefLike)
            return "a pointer is not valid in another process. Pass the data it points to";
        if (Array.Find(BoundToProcess, bound => bound.Type.IsAssignableFrom(type)) is { Reason: { } reason })
            return reason;
        if (type == typeof(ValueTask) || ValueTypeTraits.Is(type, typeof(ValueTask<>)) || type.Name.Contains(">d__", StringComparison.Ordinal) || ValueTypeTraits.Is(type, typeof(IAsyncEnumerable<>)) || ValueTypeTraits.Is(type, typeof(IEnumerator<>)))
            return Operation;
        return type.Name.StartsWith("<>c", StringComparison.Ordinal) ? "a closure holds captured variables of this process. Pass them as arguments" : null;
    }

    /// <summary>Returns why values of a declared type are rejected even if they are empty: the type itself, or an item type of a collection, cannot be sent.</summary>
    public static string? FindDeclaredObstacle(Type type)
    {
        if (type == typeof(CancellationToken))
            return "a cancellation token belongs to this process. Declare a CancellationToken parameter, which the runtime provides";
        if (FindObstacle(type) is { } obstacle)
            return obstacle;
        if (type.IsArray)
            return FindDeclaredObstacle(type.GetElementType()!);
        return type.IsGenericType && typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments().Select(FindDeclaredObstacle).FirstOrDefault(found => found is not null) : null;
    }

    /// <summary>Returns why objects of a class cannot be sent field by field; null if they can.</summary>
    public static string? FindClassObstacle(Type type)
    {
        if (!IsFoundByName(type))
            return "its assembly was created or loaded at run time, so that a worker does not have it";
        if (IsPlatform(type))
            return IsPlainPlatformType(type) ? null : UnknownPlatformType(type);
        if (type.GetMethod("Finalize", SerializedFields.Own, []) is not null)
            return "it has a finalizer, so it owns something of this process. Pass the information to create it";
        for (var level = type; level is not null && !IsPlatform(level); level = level.BaseType)
        {
            if (HashCodeUse.IsHashTable(level))
                return $"{CSharpTypeNames.Format(level)} is a hash table, and hash codes differ between processes. Pass its items, or add a ValueSerializer for it to ClusterOptions.Serializers";
        }

        return null;
    }

    public static string UnknownPlatformType(Type type) =>
        $"{CSharpTypeNames.Format(type)} belongs to .NET, and it is not known how to recreate it in another process. Pass the information to create it";

    /// <summary>Whether a type belongs to .NET or to ASP.NET Core.</summary>
    public static bool IsPlatform(Type type) => PlatformAssemblies.GetOrAdd(
        (type.HasElementType ? type.GetElementType()! : type).Assembly, static assembly => PlatformKeys.Contains(Convert.ToHexString(assembly.GetName().GetPublicKeyToken() ?? [])));

    /// <summary>Whether a class of the platform is plain data, so that its fields are sent as they are.</summary>
    public static bool IsPlainPlatformType(Type type) =>
        typeof(Exception).IsAssignableFrom(type) || PlainPlatformTypes.Contains(type.IsGenericType ? type.GetGenericTypeDefinition() : type) || type.DeclaringType == typeof(Random) ||
        type.Name.StartsWith("Tuple`", StringComparison.Ordinal) || IsTensor(type);

    /// <summary>Whether fields of type <c>nint</c> are numbers: lengths of a tensor.</summary>
    public static bool HasNumericPointers(Type owner) => owner.Namespace == "System.Numerics.Tensors";

    private static bool IsTensor(Type type) => type.Name == "Tensor`1" && HasNumericPointers(type);

    private static bool IsFoundByName(Type type)
    {
        var assembly = type.Assembly;
        var isFile = assembly.Location.Length > 0 || Assembly.GetEntryAssembly()?.Location.Length is 0;
        return !assembly.IsDynamic && isFile && !type.IsCollectible && ValueTypeTraits.Find(type.AssemblyQualifiedName!) == type;
    }
}
