using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Methods;

/// <summary>
/// Resolves remote functions and non-capturing lambdas from the type and name in a <see cref="RemoteFunction"/>. Each is reflected once per process.
/// Thread-safe.
/// </summary>
public static class RemoteFunctionTable
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    // Weak in the class, so that a collectible assembly can be unloaded.
    private static readonly ConditionalWeakTable<Type, ConcurrentDictionary<string, ActorMethodInvoker>> Tables = [];

    /// <summary>Resolves a function; its <see cref="ActorMethodInvoker.InvokeAsync"/> accepts any target.</summary>
    /// <param name="type">Declaring class; for a lambda, the compiler-generated class.</param>
    /// <param name="method">Method name, or <c>MethodInfo.ToString()</c> for an overloaded method.</param>
    /// <exception cref="BadInputException">The function does not exist.</exception>
    public static ActorMethodInvoker Resolve(Type type, string method) =>
        Tables.GetOrAdd(type, static _ => new(StringComparer.Ordinal)).GetOrAdd(method, static (method, type) => new(type, Find(type, method)), type);

    private static MethodInfo Find(Type type, string name)
    {
        var methods = Array.FindAll(type.GetMethods(Declared), IsFunction);
        var named = Array.FindAll(methods, method => method.Name == name || method.ToString() == name);
        return named.Length == 1 ? named[0]
            : Array.Find(named, method => method.IsDefined(typeof(RemoteAttribute), inherit: false))
            ?? throw new BadInputException(named.Length > 1
                ? $"{type} has several methods '{name}', but none of them is marked with [Remote]."
                : $"{type} in {type.Assembly.GetName().Name} has no static method '{name}'.{Suggest(name, methods)} Was the worker built from different code?");
    }

    private static bool IsFunction(MethodInfo method) =>
        !method.ContainsGenericParameters && (method.IsStatic || CompilerClosureTypes.FindSingleton(method.DeclaringType!) is not null);

    private static string Suggest(string name, MethodInfo[] methods) =>
        NearestNameFinder.Find(name, [.. methods.Select(method => method.Name)]) is { } nearest ? $" Did you mean '{nearest}'?" : "";
}
