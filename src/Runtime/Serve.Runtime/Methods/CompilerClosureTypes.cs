using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Methods;

/// <summary>Compiler-generated classes of lambdas, whose fields are the captured variables.</summary>
internal static class CompilerClosureTypes
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Returns the instance on which non-capturing lambdas run; null if the class is not compiler-generated or has captured variables.</summary>
    public static object? FindSingleton(Type type) =>
        IsCompilerGenerated(type) && type.GetFields(Fields).Length == 0 ? RuntimeHelpers.GetUninitializedObject(type) : null;

    public static bool IsCompilerGenerated(Type type) => type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && type.Name.StartsWith('<');
}
