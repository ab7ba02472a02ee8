using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Methods;

/// <summary>
/// Finds remote functions, and lambdas that capture nothing, by what <see cref="RemoteFunction"/> says of them: a type, and a name in it. Each is
/// reflected over once in a process. Thread-safe.
/// </summary>
internal static class RemoteFunctionTable
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // Weak in the class, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<Type, ConcurrentDictionary<string, ActorMethodInvoker>> Tables = [];

    /// <summary>The function; its <see cref="ActorMethodInvoker.InvokeAsync"/> takes any target.</summary>
    /// <param name="type">The class that declares it; for a lambda, the compiler's class.</param>
    /// <param name="method">Its name, or for one of several of a name what <c>MethodInfo.ToString</c> says.</param>
    /// <exception cref="BadInputException">There is none.</exception>
    public static ActorMethodInvoker Resolve(Type type, string method) =>
        Tables.GetOrAdd(type, static _ => new(StringComparer.Ordinal)).GetOrAdd(method, static (method, type) => new(type, Find(type, method)), type);

    private static MethodInfo Find(Type type, string name)
    {
        var methods = Array.FindAll(type.GetMethods(Declared), IsFunction);
        var named = Array.FindAll(methods, method => method.Name == name || method.ToString() == name);
        return named.Length == 1 ? named[0]
            : Array.Find(named, method => method.IsDefined(typeof(RemoteAttribute), inherit: false))
            ?? throw new BadInputException(named.Length > 1
                ? $"{type} has several methods '{name}', of which none carries [Remote]."
                : $"{type} in {type.Assembly.GetName().Name} has no static method '{name}'.{Suggest(name, methods)} Is the worker's build of it another one?");
    }

    private static bool IsFunction(MethodInfo method) =>
        !method.ContainsGenericParameters && (method.IsStatic || CompilerClosureTypes.FindSingleton(method.DeclaringType!) is not null);

    private static string Suggest(string name, MethodInfo[] methods) =>
        NearestNameFinder.Find(name, [.. methods.Select(method => method.Name)]) is { } nearest ? $" Did you mean '{nearest}'?" : "";
}
