using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Methods;

/// <summary>What the compiler makes of lambdas: methods of classes of its own, whose fields are what a lambda captures.</summary>
internal static class CompilerClosureTypes
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The object on which lambdas that capture nothing run; null when the class is none of the compiler's, or has something captured.</summary>
    public static object? FindSingleton(Type type) =>
        IsCompilerGenerated(type) && type.GetFields(Fields).Length == 0 ? RuntimeHelpers.GetUninitializedObject(type) : null;

    public static bool IsCompilerGenerated(Type type) => type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && type.Name.StartsWith('<');
}
