using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads the remote functions of a class.</summary>
internal static class RemoteFunctionReader
{
    private static readonly HashSet<string> Taken = ["GetType", "ToString", "Equals", "GetHashCode"];

    /// <summary>Members of the generated actor creator.</summary>
    private static readonly HashSet<string> TakenByActor = ["Remote", "Options"];

    public static IEnumerable<RemoteFunctionModel> Read(INamedTypeSymbol type, IReadOnlyList<IMethodSymbol> marked, bool isActor, List<DiagnosticInfo> findings)
    {
        foreach (var method in marked)
        {
            if (!IsFunction(type, method, marked, isActor, findings))
                continue;
            DeploymentAttributeChecker.Check(method, type.Name, findings);
            RemoteParameterChecker.Check(method, type.Name, findings);
            var attribute = RemoteClassReader.AttributeOf(method)!;
            NamedAmountChecker.Check(attribute, method, findings);
            yield return new RemoteFunctionModel(
                CallableMethodReader.Read(method), method.DeclaredAccessibility == Accessibility.Public, RemoteAttributeWriter.Write(attribute) ?? Reflected(type, method));
        }
    }

    private static bool IsFunction(
        INamedTypeSymbol type, IMethodSymbol method, IReadOnlyList<IMethodSymbol> marked, bool isActor, List<DiagnosticInfo> findings)
    {
        var before = findings.Count;
        if (!method.IsStatic)
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotStatic, method, type.Name, method.Name));
        else if (CallableMethodReader.WhyNotCallable(method) is { } why)
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotCallable, method, type.Name, method.Name, why));
        else if (!TypeVisibility.IsVisible(method.DeclaredAccessibility))
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotVisible, method, $"{type.Name}.{method.Name}", "private or protected"));
        else if (marked.Count(each => each.IsStatic && each.Name == method.Name) > 1)
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.Overloaded, method, type.Name, method.Name));
        else if (Taken.Contains(method.Name) || (isActor && TakenByActor.Contains(method.Name)))
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NameTaken, method, $"{type.Name}.{method.Name}", $"a member of 'ray.{type.Name}'"));
        return findings.Count == before;
    }

    private static string Reflected(INamedTypeSymbol type, IMethodSymbol method)
    {
        var flags = "global::System.Reflection.BindingFlags";
        return "(global::Serve.RemoteAttribute)global::System.Attribute.GetCustomAttribute("
            + $"typeof({QualifiedTypeNames.Of(type)}).GetMethod(\"{method.Name}\", {flags}.Static | {flags}.Public | {flags}.NonPublic)!, typeof(global::Serve.RemoteAttribute))!";
    }
}
