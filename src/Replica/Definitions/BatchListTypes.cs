namespace Serve.Replica.Definitions;

/// <summary>List types that methods with <see cref="BatchAttribute"/> may accept and return.</summary>
internal static class BatchListTypes
{
    private static readonly Type[] Lists =
        [typeof(List<>), typeof(IReadOnlyList<>), typeof(IList<>), typeof(IReadOnlyCollection<>), typeof(ICollection<>), typeof(IEnumerable<>)];

    /// <summary>Returns the element type of a parameter; null if it is not a list.</summary>
    public static Type? TakenElement(Type type) =>
        type.IsSZArray ? type.GetElementType()
        : type.IsGenericType && Lists.Contains(type.GetGenericTypeDefinition()) ? type.GetGenericArguments()[0]
        : null;

    /// <summary>Returns the element type of a returned list; null if it is not a list, or must be enumerated to be counted.</summary>
    public static Type? ReturnedElement(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>) ? null : TakenElement(type);
}
