using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Serve.Generators.Diagnostics;

namespace Serve.Generators;

/// <summary>
/// Finds values of remote functions and actors that cannot be sent to a worker process: by the types of parameters and results, and by the fields of the user's types that are reachable from them. A warning where the
/// attribute selects worker processes, otherwise information, since calls inside a process pass references.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RemoteValueAnalyzer : DiagnosticAnalyzer
{
    // The value of Isolation.Process.
    private const int Process = 2;

    // Types that are never sent, with the types derived from them. Delegates, expressions, tasks and running calls have rules of their own.
    private static readonly ImmutableHashSet<string> NeverSent = ImmutableHashSet.Create(
        "System.IO.Stream", "System.Net.Http.HttpClient", "System.Net.Sockets.Socket", "System.IServiceProvider", "Microsoft.Extensions.Logging.ILogger", "System.Data.Common.DbConnection", "System.Threading.Thread",
        "System.Threading.Timer", "System.Threading.WaitHandle", "System.Threading.SemaphoreSlim", "System.Threading.CancellationTokenSource", "System.Runtime.InteropServices.SafeHandle", "System.Diagnostics.Process",
        "nint", "nuint", "System.IntPtr", "System.UIntPtr", "System.Collections.Generic.IAsyncEnumerable<T>", "System.Collections.Generic.IEnumerator<T>");

    // Reported for fields only.
    private static readonly ImmutableHashSet<string> NeverSentInFields = NeverSent.Union(new[] { "System.Delegate", "System.Threading.Tasks.Task", "System.Threading.Tasks.ValueTask<TResult>" });

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [RemoteDiagnostics.NeverSent, RemoteDiagnostics.FieldNeverSent, RemoteDiagnostics.Finalizer, RemoteDiagnostics.StoredHashCode];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Serve.RemoteAttribute") is not { } remote)
                return;
            var scan = new ReachableTypeScan(start.Compilation);
            start.RegisterSymbolAction(each => scan.AddMethod((IMethodSymbol)each.Symbol, remote, each.ReportDiagnostic), SymbolKind.Method);
            start.RegisterOperationAction(each => scan.AddAssignment((ISimpleAssignmentOperation)each.Operation, each.ContainingSymbol), OperationKind.SimpleAssignment);
            start.RegisterCompilationEndAction(end => scan.Report(end.ReportDiagnostic));
        });
    }

    /// <summary>Types that are reachable from remote functions of one compilation. Thread-safe.</summary>
    private sealed class ReachableTypeScan(Compilation compilation)
    {
        private readonly ConcurrentDictionary<INamedTypeSymbol, DiagnosticSeverity> _types = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentBag<(IFieldSymbol Field, Location Location)> _hashes = [];

        public void AddMethod(IMethodSymbol method, INamedTypeSymbol remote, Action<Diagnostic> report)
        {
            var attribute = Find(method, remote) ?? (method.DeclaredAccessibility == Accessibility.Public && !method.IsStatic ? Find(method.ContainingType, remote) : null);
            if (attribute is null || method.MethodKind is not (MethodKind.Ordinary or MethodKind.Constructor) || method.Locations.FirstOrDefault() is not { } place)
                return;
            var severity = attribute.NamedArguments.Any(argument => argument.Key == "Isolation" && argument.Value.Value is Process) ? DiagnosticSeverity.Warning : DiagnosticSeverity.Info;
            foreach (var parameter in method.Parameters)
                AddValue(parameter.Type, $"takes '{parameter.Name}' of type", parameter.Locations.FirstOrDefault() ?? place, method, severity, report);
            if (ResultOf(method.ReturnType) is { } result)
                AddValue(result, "returns", place, method, severity, report);
        }

        public void AddAssignment(ISimpleAssignmentOperation assignment, ISymbol method)
        {
            var value = assignment.Value;
            while (value is IConversionOperation conversion)
                value = conversion.Operand;
            if (assignment.Target is IFieldReferenceOperation { Field: { IsStatic: false } field } && method.Name != nameof(GetHashCode) &&
                value is IInvocationOperation { TargetMethod: { Name: nameof(GetHashCode) or "ToHashCode" or "Combine", ReturnType.SpecialType: SpecialType.System_Int32 } })
                _hashes.Add((field, assignment.Syntax.GetLocation()));
        }

        public void Report(Action<Diagnostic> report)
        {
            foreach (var found in _types)
            {
                foreach (var field in found.Key.GetMembers().OfType<IFieldSymbol>())
                {
                    if (field.IsStatic || IsExcluded(field) || NameIn(field.Type, NeverSentInFields) is not { } name || PlaceOf(field) is not { } place)
                        continue;
                    report(Diagnostic.Create(RemoteDiagnostics.FieldNeverSent, place, found.Value, null, null, found.Key.Name, (field.AssociatedSymbol ?? field).Name, name));
                }

                if (found.Key.GetMembers().Any(member => member is IMethodSymbol { MethodKind: MethodKind.Destructor }))
                    report(Diagnostic.Create(RemoteDiagnostics.Finalizer, found.Key.Locations[0], DiagnosticSeverity.Info, null, null, found.Key.Name));
            }

            foreach (var (field, place) in _hashes)
            {
                if (_types.TryGetValue(field.ContainingType.OriginalDefinition, out var severity) && !IsExcluded(field))
                    report(Diagnostic.Create(RemoteDiagnostics.StoredHashCode, place, severity, null, null, field.ContainingType.Name, field.Name));
            }
        }

        private static AttributeData? Find(ISymbol symbol, INamedTypeSymbol remote) =>
            symbol.GetAttributes().FirstOrDefault(attribute => SymbolEqualityComparer.Default.Equals(attribute.AttributeClass, remote));

        private static bool IsExcluded(IFieldSymbol field) => field.GetAttributes().Any(attribute => attribute.AttributeClass?.ToDisplayString() == "System.NonSerializedAttribute");

        private static Location? PlaceOf(IFieldSymbol field) => (field.AssociatedSymbol ?? field).Locations.FirstOrDefault(location => location.IsInSource);

        // Streams of results are sent item by item.
        private static ITypeSymbol? ResultOf(ITypeSymbol type) => type switch
        {
            { SpecialType: SpecialType.System_Void } => null,
            INamedTypeSymbol { Name: "Task" or "ValueTask" or "IAsyncEnumerable", TypeArguments.Length: 1 } generic => generic.TypeArguments[0],
            { Name: "Task" or "ValueTask" } => null,
            _ => type,
        };

        private static string? NameIn(ITypeSymbol type, ImmutableHashSet<string> names)
        {
            var isFound = type.TypeKind == TypeKind.Pointer || (type.TypeKind == TypeKind.Delegate && names.Contains("System.Delegate")) ||
                type.AllInterfaces.Any(each => each.ToDisplayString() == "Microsoft.Extensions.Logging.ILogger");
            for (var level = type; level is not null && !isFound; level = level.BaseType)
                isFound = names.Contains(level.OriginalDefinition.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString());
            return isFound ? type.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat) : null;
        }

        private void AddValue(ITypeSymbol type, string relation, Location place, IMethodSymbol method, DiagnosticSeverity severity, Action<Diagnostic> report)
        {
            if (NameIn(type, NeverSent) is { } name)
                report(Diagnostic.Create(RemoteDiagnostics.NeverSent, place, severity, null, null, method.ContainingType.Name, method.Name, relation, name));
            else
                AddReachable(type, severity);
        }

        private void AddReachable(ITypeSymbol type, DiagnosticSeverity severity)
        {
            var pending = new Stack<ITypeSymbol>();
            pending.Push(type);
            while (pending.Count > 0)
            {
                var next = pending.Pop();
                if (next is IArrayTypeSymbol array)
                    pending.Push(array.ElementType);
                if (next is not INamedTypeSymbol named)
                    continue;
                foreach (var argument in named.TypeArguments)
                    pending.Push(argument);
                var definition = named.OriginalDefinition;
                if (!SymbolEqualityComparer.Default.Equals(definition.ContainingAssembly, compilation.Assembly) || !Raise(definition, severity))
                    continue;
                if (definition.BaseType is { } parent)
                    pending.Push(parent);
                foreach (var field in definition.GetMembers().OfType<IFieldSymbol>().Where(field => !field.IsStatic && !IsExcluded(field)))
                    pending.Push(field.Type);
            }
        }

        // Whether the type is new, or is now known to be sent to workers.
        private bool Raise(INamedTypeSymbol type, DiagnosticSeverity severity)
        {
            while (true)
            {
                if (_types.TryAdd(type, severity))
                    return true;
                var known = _types[type];
                if (known >= severity)
                    return false;
                if (_types.TryUpdate(type, severity, known))
                    return true;
            }
        }
    }
}
