using System.Collections.Concurrent;
using System.ComponentModel;

namespace Serve.Workflows.Definitions;

/// <summary>The workflows and steps that this process knows. Generated code adds those of an assembly when it is loaded.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class WorkflowRegistry
{
    private static readonly ConcurrentDictionary<(string Name, int Version), WorkflowDefinition> Workflows = new();
    private static readonly ConcurrentDictionary<string, StepDefinition> Steps = new();
    private static readonly ConcurrentQueue<string> Conflicts = new();

    /// <summary>Adds a workflow.</summary>
    /// <param name="workflow">The workflow.</param>
    public static void Add(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        var known = Workflows.GetOrAdd((workflow.Name, workflow.Version), workflow);
        if (known.Type != workflow.Type)
            Conflicts.Enqueue($"'{known.Type}' and '{workflow.Type}' are both workflow '{workflow.Name}' version {workflow.Version}. Set Name or Version of [Workflow] on one of them.");
    }

    /// <summary>Adds a step.</summary>
    /// <param name="step">The step.</param>
    public static void Add(StepDefinition step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Steps[step.Name] = step;
    }

    /// <summary>Returns the definition with a version or, if there is none, the newest; null if there is no workflow of this name.</summary>
    internal static WorkflowDefinition? Find(string name, int? version = null) =>
        version is { } exact && Workflows.TryGetValue((name, exact), out var found)
            ? found
            : Workflows.Where(pair => pair.Key.Name == name).OrderByDescending(pair => pair.Key.Version).Select(pair => pair.Value).FirstOrDefault();

    internal static WorkflowDefinition? Find(Type type) => Workflows.Values.FirstOrDefault(workflow => workflow.Type == type);

    internal static StepDefinition? FindStep(string name) => Steps.GetValueOrDefault(name);

    /// <summary>Removes a workflow, as if the program had been built without it. For tests.</summary>
    internal static void Remove(string name, int version) => Workflows.TryRemove((name, version), out _);

    internal static void ThrowIfAmbiguous()
    {
        if (Conflicts.TryPeek(out var conflict))
            throw new WorkflowException(conflict);
    }
}
