using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>Parses the names that the C# compiler generates for lambdas and for the classes of their captured variables.</summary>
internal static class LambdaNameParser
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Returns a display name: <c>lambda in Program.Main</c>.</summary>
    public static string DisplayNameOf(MethodInfo method)
    {
        var type = method.DeclaringType;
        while (type is not null && IsCompilerGenerated(type))
            type = type.DeclaringType;
        var owner = type?.Name ?? "generated code";
        if (!method.Name.StartsWith('<'))
            return $"{owner}.{method.Name}";

        // <Main>b__0_1 is a lambda in Main, <Main>g__Local|0_0 a local function, <<Main>$>b__0 a lambda in top-level statements.
        var end = method.Name.LastIndexOf('>');
        var outer = method.Name[1..end].Trim('<', '>', '$');
        var local = method.Name.AsSpan(end + 1);
        return local.StartsWith("g__") && local.IndexOf('|') is > 3 and var bar
            ? $"{owner}.{outer}.{local[3..bar]}"
            : $"lambda in {owner}.{outer}";
    }

    /// <summary>Returns why a method cannot be called in another process; null if it can.</summary>
    public static string? FindTransferObstacle(MethodInfo method) => method switch
    {
        { DeclaringType: null } => "it was compiled at run time",
        { IsStatic: true } => null,
        { DeclaringType: var type } when !IsCompilerGenerated(type) => $"it belongs to an instance of {type.Name}, which cannot be sent with it",
        { DeclaringType: var type } => Captured(type, []).ToList() is { Count: > 0 } captured
            ? $"it captures {string.Join(", ", captured.Distinct())}"
            : null,
    };

    // The closure class of a scope has fields for the scope's variables, for "this", and for the closure of the enclosing scope.
    private static IEnumerable<string> Captured(Type type, HashSet<Type> seen)
    {
        if (!seen.Add(type))
            yield break;
        foreach (var field in type.GetFields(Fields))
        {
            if (field.Name.EndsWith("__this", StringComparison.Ordinal))
                yield return "this";
            else if (!field.Name.StartsWith('<') && !field.Name.StartsWith("CS$", StringComparison.Ordinal))
                yield return $"'{field.Name}'";
            else if (IsCompilerGenerated(field.FieldType))
            {
                foreach (var outer in Captured(field.FieldType, seen))
                    yield return outer;
            }
            else if (field.Name.IndexOf('>') is > 1 and var end)
                yield return $"'{field.Name[1..end]}'";
        }
    }

    private static bool IsCompilerGenerated(Type type) => type.Name.StartsWith('<') && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);
}
