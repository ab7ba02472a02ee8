using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Reads an actor class: its constructor and the methods of its handle.</summary>
internal static class RemoteActorReader
{
    private static readonly HashSet<string> Hooks = ["Dispose", "DisposeAsync"];

    public static RemoteActorModel? Read(INamedTypeSymbol type, AttributeData attribute, Compilation compilation, List<DiagnosticInfo> findings)
    {
        if (ConstructorOf(type, findings) is not { } constructor)
            return null;
        RemoteParameterChecker.Check(constructor, type.Name, findings);
        NamedAmountChecker.Check(attribute, type, findings);
        var taken = RemoteClassReader.NamesIn(compilation, "Serve.ActorHandle`1");
        List<CallableMethodModel> methods = [];
        foreach (var named in ClassMethodSymbols.OfInstance(type).Where(method => !Hooks.Contains(method.Name)).GroupBy(method => method.Name))
        {
            if (IsMethod(type, [.. named], taken, findings))
                methods.Add(CallableMethodReader.Read(named.First()));
        }

        return new RemoteActorModel(CallableMethodReader.Read(constructor), new([.. methods]), RemoteAttributeWriter.Write(attribute) ?? Reflected(type));
    }

    private static bool IsMethod(INamedTypeSymbol type, ImmutableArray<IMethodSymbol> overloads, ISet<string> taken, List<DiagnosticInfo> findings)
    {
        var method = overloads[0];
        if (overloads.Length > 1)
        {
            findings.AddRange(overloads.Skip(1).Select(each => DiagnosticInfo.Of(RemoteDiagnostics.Overloaded, each, type.Name, each.Name)));
            return false;
        }

        if (CallableMethodReader.WhyNotCallable(method) is { } why)
        {
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotCallable, method, type.Name, method.Name, why));
            return false;
        }

        if (taken.Contains(method.Name))
        {
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NameTaken, method, $"{type.Name}.{method.Name}", $"ActorHandle<{type.Name}>.{method.Name}"));
            return false;
        }

        DeploymentAttributeChecker.Check(method, type.Name, findings);
        RemoteParameterChecker.Check(method, type.Name, findings);
        return true;
    }

    private static IMethodSymbol? ConstructorOf(INamedTypeSymbol type, List<DiagnosticInfo> findings)
    {
        var kind = type.IsStatic ? ("static", "; put [Remote] on its methods to make them remote functions")
            : type.IsAbstract ? ("abstract", "")
            : type.IsValueType ? ("a struct", "")
            : default;
        if (kind.Item1 is not null)
        {
            findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NoInstance, type, type.Name, kind.Item1, kind.Item2));
            return null;
        }

        var constructors = type.InstanceConstructors.Where(each => each.DeclaredAccessibility == Accessibility.Public).ToList();
        if (constructors.Count != 1)
        {
            findings.Add(DiagnosticInfo.Of(
                RemoteDiagnostics.Constructors, type, type.Name, constructors.Count == 0 ? "no" : constructors.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return null;
        }

        var why = CallableMethodReader.WhyNotCallable(constructors[0])
            ?? (HasRequiredMembers(type, constructors[0]) ? "leaves required members unset" : null);
        if (why is null)
            return constructors[0];
        findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.NotCallable, constructors[0], type.Name, type.Name, why));
        return null;
    }

    private static bool HasRequiredMembers(INamedTypeSymbol type, IMethodSymbol constructor)
    {
        if (constructor.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "SetsRequiredMembersAttribute"))
            return false;
        for (var each = type; each is not null; each = each.BaseType)
        {
            if (each.GetMembers().Any(member => member is IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true }))
                return true;
        }

        return false;
    }

    private static string Reflected(INamedTypeSymbol type) =>
        $"(global::Serve.RemoteAttribute)global::System.Attribute.GetCustomAttribute(typeof({QualifiedTypeNames.Of(type)}), typeof(global::Serve.RemoteAttribute))!";
}
