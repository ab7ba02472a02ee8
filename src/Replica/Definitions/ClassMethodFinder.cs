using System.Reflection;

namespace Serve.Replica.Definitions;

/// <summary>All methods of a class, whatever their access, its bases' private and static ones among them: what the source generator sees. Of those that override each other, the last.</summary>
internal static class ClassMethodFinder
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Those of the class itself first, then its bases'.</summary>
    public static IReadOnlyList<MethodInfo> Of(Type type)
    {
        List<MethodInfo> found = [];
        HashSet<MethodInfo> overridden = [];
        for (var each = type; each is not null && each != typeof(object); each = each.BaseType)
            found.AddRange(each.GetMethods(Declared).Where(method => overridden.Add(method.GetBaseDefinition())));
        return found;
    }
}
