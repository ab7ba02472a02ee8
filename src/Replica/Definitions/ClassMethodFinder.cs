using System.Reflection;

namespace Serve.Replica.Definitions;

/// <summary>Finds all methods of a class and its bases, including private and static ones, as the source generator does. Of overriding methods only the most derived one.</summary>
internal static class ClassMethodFinder
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Returns the methods of the class, followed by those of its bases.</summary>
    public static IReadOnlyList<MethodInfo> Of(Type type)
    {
        List<MethodInfo> found = [];
        HashSet<MethodInfo> overridden = [];
        for (var each = type; each is not null && each != typeof(object); each = each.BaseType)
            found.AddRange(each.GetMethods(Declared).Where(method => overridden.Add(method.GetBaseDefinition())));
        return found;
    }
}
