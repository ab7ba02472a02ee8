namespace Serve.Workflows;

/// <summary>
/// Marks a class as a workflow. It has one public method <c>Run</c> with a <see cref="WorkflowContext"/> and any arguments, which returns <c>Task&lt;T&gt;</c> or <c>Task</c>. The code
/// runs again from the start when the workflow is resumed; results of finished steps come from the log.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class WorkflowAttribute : Attribute
{
    /// <summary>The name under which workflows of this class are stored. Default: the name of the class.</summary>
    public string? Name { get; set; }

    /// <summary>The version. New workflows start with the newest version; open ones continue with their own, or with the newest if theirs does not exist. Default 1.</summary>
    public int Version { get; set; } = 1;
}

/// <summary>Marks a static method as a step: a task of the cluster whose result is logged before the workflow sees it. The settings are defaults that <c>.Options(…)</c> at a call overrides.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StepAttribute : Attribute
{
    /// <inheritdoc cref="RemoteAttribute.NumCpus"/>
    public double NumCpus { get; set; } = -1;

    /// <inheritdoc cref="RemoteAttribute.NumGpus"/>
    public double NumGpus { get; set; }

    /// <inheritdoc cref="RemoteAttribute.Memory"/>
    public long Memory { get; set; }

    /// <inheritdoc cref="RemoteAttribute.Resources"/>
    public string? Resources { get; set; }

    /// <inheritdoc cref="RemoteAttribute.Isolation"/>
    public Isolation Isolation { get; set; }

    /// <inheritdoc cref="RemoteAttribute.TimeoutSeconds"/>
    public double TimeoutSeconds { get; set; }

    /// <inheritdoc cref="StepOptions.MaxRetries"/>
    public int MaxRetries { get; set; } = 3;

    /// <inheritdoc cref="StepOptions.RetryOn"/>
    public Type[] RetryOn { get; set; } = [];

    /// <summary>Seconds before the first retry; doubled for each further one. Default 1.</summary>
    public double BackoffSeconds { get; set; } = 1;

    /// <inheritdoc cref="StepOptions.Checkpoint"/>
    public bool Checkpoint { get; set; } = true;
}

/// <summary>Marks a method of a workflow as a signal: called from outside, logged, exactly once and in order. It returns nothing and changes fields of the workflow.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SignalAttribute : Attribute;

/// <summary>Marks a method of a workflow as a query: called from outside, not logged. It reads fields of the workflow and must not change them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class QueryAttribute : Attribute;
