namespace Serve.Replica.Definitions;

/// <summary>Which types are lists, as parameters and results of methods with <see cref="BatchAttribute"/>.</summary>
internal static class BatchListTypes
{
    private static readonly Type[] Lists =
        [typeof(List<>), typeof(IReadOnlyList<>), typeof(IList<>), typeof(IReadOnlyCollection<>), typeof(ICollection<>), typeof(IEnumerable<>)];

    /// <summary>What a list that a method takes has in it; null when it is no list.</summary>
    public static Type? TakenElement(Type type) =>
        type.IsSZArray ? type.GetElementType()
        : type.IsGenericType && Lists.Contains(type.GetGenericTypeDefinition()) ? type.GetGenericArguments()[0]
        : null;

    /// <summary>What a list that a method returns has in it; null when it is none, or is only counted by going through it.</summary>
    public static Type? ReturnedElement(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>) ? null : TakenElement(type);
}
