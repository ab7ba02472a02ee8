using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>Reads the names that the C# compiler gives to lambdas, and to the classes that hold what they capture.</summary>
internal static class LambdaNameParser
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>A name for people: <c>lambda in Program.Main</c>.</summary>
    public static string DisplayNameOf(MethodInfo method)
    {
        var type = method.DeclaringType;
        while (type is not null && IsCompilers(type))
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

    /// <summary>Why a method cannot be found again in another process; null when it can.</summary>
    public static string? FindTransferObstacle(MethodInfo method) => method switch
    {
        { DeclaringType: null } => "it was compiled while the program ran",
        { IsStatic: true } => null,
        { DeclaringType: var type } when !IsCompilers(type) => $"it belongs to an instance of {type.Name}, which does not go with it",
        { DeclaringType: var type } => Captured(type, []).ToList() is { Count: > 0 } captured
            ? $"it captures {string.Join(", ", captured.Distinct())}"
            : null,
    };

    // The class of one scope has the scope's variables, this, and the class of the scope around.
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
            else if (IsCompilers(field.FieldType))
            {
                foreach (var outer in Captured(field.FieldType, seen))
                    yield return outer;
            }
            else if (field.Name.IndexOf('>') is > 1 and var end)
                yield return $"'{field.Name[1..end]}'";
        }
    }

    private static bool IsCompilers(Type type) => type.Name.StartsWith('<') && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);
}
