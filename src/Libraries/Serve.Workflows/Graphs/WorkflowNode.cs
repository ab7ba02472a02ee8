using System.ComponentModel;
using Serve.Workflows.Definitions;

namespace Serve.Workflows;

/// <summary>A call in a graph that has not run yet. Its arguments are values or other calls. Created by <c>Bind</c> of a step or remote function.</summary>
public abstract class WorkflowNode
{
    private protected WorkflowNode()
    {
    }

    internal WorkflowNodeKind Kind { get; init; }

    /// <summary>Gets the full name of the function, or the name of the event.</summary>
    internal string Name { get; init; } = "";

    internal object?[] Arguments { get; init; } = [];

    internal StepOptions? StepOptions { get; init; }

    internal TimeSpan? Duration { get; init; }

    internal bool IsCaught { get; init; }
}

/// <summary>A call in a graph that has not run yet.</summary>
/// <typeparam name="T">The type of its result.</typeparam>
public sealed class WorkflowNode<T> : WorkflowNode
{
    internal WorkflowNode()
    {
    }

    /// <summary>Creates a call of a function. For generated code.</summary>
    /// <param name="definition">The function.</param>
    /// <param name="options">Options; null for none.</param>
    /// <param name="arguments">The arguments: values or calls, with null for a <see cref="StepContext"/>.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public WorkflowNode(StepDefinition definition, StepOptions? options, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(definition);
        (Kind, Name, StepOptions, Arguments) = (WorkflowNodeKind.Function, definition.Name, options, [.. arguments.Select(argument => argument is IBoundArgument bound ? bound.Content : argument)]);
    }

    /// <summary>Returns the same call with options.</summary>
    /// <param name="options">The options.</param>
    /// <returns>A new call.</returns>
    public WorkflowNode<T> Options(StepOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new() { Kind = Kind, Name = Name, Arguments = Arguments, StepOptions = options, Duration = Duration, IsCaught = IsCaught };
    }

    /// <summary>Returns the same call with another result type: its result is read as JSON of this type. For example, a sleep in place of an argument that is null.</summary>
    /// <typeparam name="TOther">The type.</typeparam>
    /// <returns>A new call.</returns>
    public WorkflowNode<TOther> As<TOther>() => new() { Kind = Kind, Name = Name, Arguments = Arguments, StepOptions = StepOptions, Duration = Duration, IsCaught = IsCaught };

    /// <summary>Returns the same call with a result that contains the value or the error; Ray's <c>catch_exceptions</c>.</summary>
    /// <returns>A new call.</returns>
    public WorkflowNode<StepResult<T>> Catch() => new() { Kind = Kind, Name = Name, Arguments = Arguments, StepOptions = StepOptions, Duration = Duration, IsCaught = true };
}

/// <summary>Kinds of calls in a graph. The names are stored.</summary>
internal enum WorkflowNodeKind
{
    Function,
    Sleep,
    Event,
}

/// <summary>An argument of <c>Bind</c>: a value or another call.</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct Bound<T> : IBoundArgument
{
    internal Bound(object? content) => Content = content;

    /// <inheritdoc/>
    public object? Content { get; }

    /// <summary>Binds a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Bound<T>(T value) => new(value);

    /// <summary>Binds the result of another call.</summary>
    /// <param name="node">The call.</param>
    public static implicit operator Bound<T>(WorkflowNode<T> node) => new(node);
}

/// <summary>An argument of <c>Bind</c>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IBoundArgument
{
    /// <summary>Gets the value, or the call as a <see cref="WorkflowNode"/>.</summary>
    object? Content { get; }
}

/// <summary>Result of a function that decides itself how the workflow continues: a value, or a graph that replaces the call.</summary>
/// <typeparam name="T">The type of the final result.</typeparam>
public sealed class Workflow<T>
{
    internal Workflow(T? value, WorkflowNode<T>? graph) => (Value, Graph) = (value, graph);

    internal T? Value { get; }

    internal WorkflowNode<T>? Graph { get; }
}

/// <summary>Creates nodes of graphs, and results of functions that continue with another graph.</summary>
public static class Workflow
{
    /// <summary>Ends a function with a value.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The function's result.</returns>
    public static Workflow<T> Value<T>(T value) => new(value, null);

    /// <summary>Ends a function with a graph, which replaces the call: the workflow runs it and uses its result. Recursion is allowed.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="graph">The graph.</param>
    /// <returns>The function's result.</returns>
    public static Workflow<T> Continue<T>(WorkflowNode<T> graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new(default, graph);
    }

    /// <summary>Binds a value of a type that C# does not convert by itself: an interface.</summary>
    /// <typeparam name="T">The parameter's type.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The argument.</returns>
    public static Bound<T> Bind<T>(T value) => new(value);

    /// <summary>Creates a node that waits.</summary>
    /// <param name="duration">The duration. It passes while the host is stopped, too.</param>
    /// <returns>The node; its result is null.</returns>
    public static WorkflowNode<object?> Sleep(TimeSpan duration) => new() { Kind = WorkflowNodeKind.Sleep, Duration = duration };

    /// <summary>Creates a node that waits for an event.</summary>
    /// <typeparam name="T">The event's type.</typeparam>
    /// <param name="name">The event's name.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <returns>The node; its result is the event.</returns>
    public static WorkflowNode<T> WaitForEvent<T>(string name, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new() { Kind = WorkflowNodeKind.Event, Name = name, Duration = timeout };
    }
}
