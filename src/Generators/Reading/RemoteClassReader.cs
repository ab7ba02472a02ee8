using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads a class that has <c>[Remote]</c>, or has methods that do, into a model.</summary>
internal static class RemoteClassReader
{
    private const string Attribute = "Serve.RemoteAttribute";

    /// <summary>Reads the class of a symbol with <c>[Remote]</c>; null unless the symbol is the first one of its class, so that each class is read once.</summary>
    public static RemoteClassModel? Read(ISymbol marked, Compilation compilation, CancellationToken cancellationToken)
    {
        var type = marked as INamedTypeSymbol ?? marked.ContainingType;
        if (marked is IMethodSymbol { MethodKind: MethodKind.LocalFunction } local)
            return Nothing(local, DiagnosticInfo.Of(RemoteDiagnostics.NotCallable, local, type!.Name, local.Name, "is a local function"));
        if (type is null || !SymbolEqualityComparer.Default.Equals(marked, Leader(type)))
            return null;
        List<DiagnosticInfo> findings = [];
        var marks = type.GetMembers().OfType<IMethodSymbol>().Where(method => AttributeOf(method) is not null).ToList();
        cancellationToken.ThrowIfCancellationRequested();
        var isActor = AttributeOf(type) is not null;
        RemoteActorModel? actor = null;
        EquatableArray<RemoteFunctionModel> functions = default;
        if (IsNamed(type, compilation, findings))
        {
            actor = isActor ? RemoteActorReader.Read(type, AttributeOf(type)!, compilation, findings) : null;
            functions = new([.. RemoteFunctionReader.Read(type, marks, isActor, findings)]);
        }

        return new RemoteClassModel(
            QualifiedTypeNames.Of(type), type.Name, QualifiedTypeNames.Flat(type),
            type.ContainingNamespace.IsGlobalNamespace ? null : type.ContainingNamespace.ToDisplayString(),
            TypeVisibility.IsPublic(type), actor, functions, SourceLocation.Of(type), new([.. findings]));
    }

    private static RemoteClassModel Nothing(IMethodSymbol local, DiagnosticInfo finding) =>
        new("", local.Name, "", null, false, null, default, SourceLocation.Of(local), new([finding]));

    public static AttributeData? AttributeOf(ISymbol symbol) =>
        symbol.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.ToDisplayString() == Attribute);

    /// <summary>Returns the names of a type's own members, which C# prefers to extension members.</summary>
    public static ISet<string> NamesIn(Compilation compilation, string type)
    {
        HashSet<string> names = [];
        for (var each = compilation.GetTypeByMetadataName(type); each is not null; each = each.BaseType)
            names.UnionWith(each.GetMembers().Where(member => member.DeclaredAccessibility == Accessibility.Public).Select(member => member.Name));
        return names;
    }

    private static ISymbol? Leader(INamedTypeSymbol type) =>
        AttributeOf(type) is not null ? type : type.GetMembers().OfType<IMethodSymbol>().FirstOrDefault(method => AttributeOf(method) is not null);

    private static bool IsNamed(INamedTypeSymbol type, Compilation compilation, List<DiagnosticInfo> findings)
    {
        var before = findings.Count;
        if (TypeVisibility.WhyHidden(type) is { } hidden)
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotVisible, type, type.Name, hidden));
        if (TypeVisibility.Containing(type).Any(each => each.IsGenericType))
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NoInstance, type, type.Name, "generic", " or have remote functions"));
        if (NamesIn(compilation, "Serve.Cluster").Contains(type.Name))
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NameTaken, type, type.Name, $"Cluster.{type.Name}"));
        return findings.Count == before;
    }
}
