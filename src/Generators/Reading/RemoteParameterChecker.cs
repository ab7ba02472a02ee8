using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Finds parameters whose values cannot be sent to another process.</summary>
internal static class RemoteParameterChecker
{
    public static void Check(IMethodSymbol method, string owner, List<DiagnosticInfo> findings)
    {
        var name = method.MethodKind == MethodKind.Constructor ? owner : method.Name;
        foreach (var parameter in method.Parameters)
        {
            if (CodeOf(parameter.Type) is { } code)
                findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.Code, parameter, owner, name, code, parameter.Name));
            else if (RunningOf(parameter.Type) is { } running)
                findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.Running, parameter, owner, name, running, parameter.Name));
        }
    }

    private static string? CodeOf(ITypeSymbol type) =>
        type.TypeKind == TypeKind.Delegate || type.ToDisplayString() is "System.Delegate" or "System.MulticastDelegate" ? "the delegate"
        : InNamespace(type, "System.Linq.Expressions") ? "the expression"
        : null;

    private static string? RunningOf(ITypeSymbol type) =>
        type.Name is "Task" or "ValueTask" && InNamespace(type, "System.Threading.Tasks") ? "the task"
        : type.Name is "DeploymentResponse" && InNamespace(type, "Serve") ? "the running call"
        : null;

    private static bool InNamespace(ITypeSymbol type, string name) => type.ContainingNamespace?.ToDisplayString() == name;
}
