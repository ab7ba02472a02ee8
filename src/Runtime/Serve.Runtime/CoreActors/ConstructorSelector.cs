using System.Reflection;

namespace Serve.Runtime.CoreActors;

/// <summary>Which constructor of an actor's class so many arguments are for.</summary>
internal static class ConstructorSelector
{
    /// <exception cref="BadInputException">None takes so many.</exception>
    public static ConstructorInfo Find(Type type, int count) =>
        Array.Find(type.GetConstructors(), constructor => constructor.GetParameters().Length == count)
        ?? throw new BadInputException($"{type.Name} has no public constructor with {count} parameter(s).");

    public static IReadOnlyList<ParameterInfo> ParametersFor(Type type, int count) => Find(type, count).GetParameters();
}
