using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads the remote functions of a class.</summary>
internal static class FunctionReader
{
    private static readonly HashSet<string> Taken = ["GetType", "ToString", "Equals", "GetHashCode"];

    /// <summary>Further names that the creator of an actor takes.</summary>
    private static readonly HashSet<string> TakenByActor = ["Remote", "Options"];

    public static IEnumerable<FunctionModel> Read(INamedTypeSymbol type, IReadOnlyList<IMethodSymbol> marked, bool isActor, List<Finding> findings)
    {
        foreach (var method in marked)
        {
            if (!IsFunction(type, method, marked, isActor, findings))
                continue;
            DeploymentMarks.Check(method, type.Name, findings);
            ParameterRules.Check(method, type.Name, findings);
            var attribute = RemoteReader.AttributeOf(method)!;
            AmountRules.Check(attribute, method, findings);
            yield return new FunctionModel(
                MethodReader.Read(method), method.DeclaredAccessibility == Accessibility.Public, AttributeWriter.Write(attribute) ?? Reflected(type, method));
        }
    }

    private static bool IsFunction(
        INamedTypeSymbol type, IMethodSymbol method, IReadOnlyList<IMethodSymbol> marked, bool isActor, List<Finding> findings)
    {
        var before = findings.Count;
        if (!method.IsStatic)
            findings.Add(Finding.Of(RemoteRules.NotStatic, method, type.Name, method.Name));
        else if (MethodReader.WhyNotCallable(method) is { } why)
            findings.Add(Finding.Of(RemoteRules.NotCallable, method, type.Name, method.Name, why));
        else if (!Visibility.IsVisible(method.DeclaredAccessibility))
            findings.Add(Finding.Of(RemoteRules.NotVisible, method, $"{type.Name}.{method.Name}", "private or protected"));
        else if (marked.Count(each => each.IsStatic && each.Name == method.Name) > 1)
            findings.Add(Finding.Of(RemoteRules.Overloaded, method, type.Name, method.Name));
        else if (Taken.Contains(method.Name) || (isActor && TakenByActor.Contains(method.Name)))
            findings.Add(Finding.Of(RemoteRules.NameTaken, method, $"{type.Name}.{method.Name}", $"a member of 'ray.{type.Name}'"));
        return findings.Count == before;
    }

    private static string Reflected(INamedTypeSymbol type, IMethodSymbol method)
    {
        var flags = "global::System.Reflection.BindingFlags";
        return "(global::Serve.RemoteAttribute)global::System.Attribute.GetCustomAttribute("
            + $"typeof({TypeNames.Of(type)}).GetMethod(\"{method.Name}\", {flags}.Static | {flags}.Public | {flags}.NonPublic)!, typeof(global::Serve.RemoteAttribute))!";
    }
}
