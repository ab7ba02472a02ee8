using System.ComponentModel;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Serve.Workflows.Definitions;

/// <summary>A workflow class. The source generator creates one per class with <see cref="WorkflowAttribute"/>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class WorkflowDefinition
{
    private readonly Dictionary<string, MethodInfo> _signals;
    private readonly Dictionary<string, MethodInfo> _queries;

    /// <summary>Describes a class. For generated code.</summary>
    /// <param name="type">The class.</param>
    /// <param name="name">The name under which its workflows are stored.</param>
    /// <param name="version">Its version.</param>
    /// <param name="parameterTypes">The types of the arguments of <c>Run</c>, without the context.</param>
    /// <param name="resultType">The result type; <see cref="object"/> for none.</param>
    /// <param name="create">Creates an instance.</param>
    /// <param name="run">Invokes <c>Run</c>.</param>
    public WorkflowDefinition(
        Type type, string name, int version, Type[] parameterTypes, Type resultType, Func<object> create, Func<object, WorkflowContext, object?[], Task<object?>> run)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(parameterTypes);
        (Type, Name, Version, ParameterTypes, ResultType, Create, Run) = (type, name, version, parameterTypes, resultType, create, run);
        _signals = MethodsWith<SignalAttribute>(type);
        _queries = MethodsWith<QueryAttribute>(type);
    }

    /// <summary>Gets the class.</summary>
    public Type Type { get; }

    /// <summary>Gets the name under which its workflows are stored.</summary>
    public string Name { get; }

    /// <summary>Gets its version.</summary>
    public int Version { get; }

    /// <summary>Gets the types of the arguments.</summary>
    public IReadOnlyList<Type> ParameterTypes { get; }

    /// <summary>Gets the result type.</summary>
    public Type ResultType { get; }

    internal Func<object> Create { get; }

    internal Func<object, WorkflowContext, object?[], Task<object?>> Run { get; }

    internal bool HasSignals => _signals.Count > 0;

    internal MethodInfo? FindSignal(string name) => _signals.GetValueOrDefault(name);

    internal MethodInfo? FindQuery(string name) => _queries.GetValueOrDefault(name);

    /// <exception cref="WorkflowNotFoundException">The class has no such method.</exception>
    internal MethodInfo SignalOf(string name) => FindSignal(name) ?? throw NoMethod("signal", name, _signals.Keys);

    /// <exception cref="WorkflowNotFoundException">The class has no such method.</exception>
    internal MethodInfo QueryOf(string name) => FindQuery(name) ?? throw NoMethod("query", name, _queries.Keys);

    internal static object? Invoke(MethodInfo method, object instance, object?[] arguments)
    {
        try
        {
            return method.Invoke(instance, arguments);
        }
        catch (TargetInvocationException failure) when (failure.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
            throw;
        }
    }

    private static Dictionary<string, MethodInfo> MethodsWith<TAttribute>(Type type)
        where TAttribute : Attribute =>
        type.GetMethods(BindingFlags.Instance | BindingFlags.Public).Where(method => method.IsDefined(typeof(TAttribute))).ToDictionary(method => method.Name);

    private WorkflowNotFoundException NoMethod(string kind, string name, IEnumerable<string> known) =>
        new($"Workflow '{Name}' has no {kind} '{name}'. {(known.Any() ? $"It has: {string.Join(", ", known)}." : $"It has no {kind} methods.")}");
}
