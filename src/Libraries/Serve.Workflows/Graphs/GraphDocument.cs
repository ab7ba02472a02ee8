using System.Text.Json;
using Serve.Workflows.Definitions;

namespace Serve.Workflows.Graphs;

/// <summary>A graph as it is stored. A call that several others use is one node.</summary>
/// <param name="Nodes">The nodes; arguments refer to earlier ones.</param>
internal sealed record GraphDocument(IReadOnlyList<GraphDocumentNode> Nodes)
{
    /// <exception cref="ArgumentException">A value cannot be stored.</exception>
    /// <exception cref="WorkflowNotFoundException">A function is not a step or remote function of this program.</exception>
    public static GraphDocument Of(WorkflowNode root, WorkflowJson json)
    {
        List<GraphDocumentNode> nodes = [];
        Dictionary<WorkflowNode, int> indices = new(ReferenceEqualityComparer.Instance);

        // Depth first without recursion: a chain of calls may be long.
        Stack<WorkflowNode> open = new([root]);
        while (open.TryPeek(out var node))
        {
            var missing = node.Arguments.OfType<WorkflowNode>().Where(argument => !indices.ContainsKey(argument)).ToList();
            foreach (var argument in missing)
                open.Push(argument);
            if (missing.Count > 0)
                continue;
            open.Pop();
            if (indices.TryAdd(node, nodes.Count))
                nodes.Add(ToNode(node, indices, json));
        }

        return new(nodes);
    }

    private static GraphDocumentNode ToNode(WorkflowNode node, Dictionary<WorkflowNode, int> indices, WorkflowJson json)
    {
        var types = node.Kind == WorkflowNodeKind.Function ? FindStep(node.Name).ParameterTypes : [];
        return new()
        {
            Kind = node.Kind,
            Name = node.Name,
            Arguments =
            [
                .. node.Arguments.Select((argument, i) => argument is WorkflowNode call
                    ? new GraphArgument(indices[call], null)
                    : new GraphArgument(null, JsonSerializer.SerializeToElement(JsonDocument.Parse(json.Write(argument, types[i], $"Argument {i + 1} of '{node.Name}'")).RootElement))),
            ],
            Duration = node.Duration,
            IsCaught = node.IsCaught,
            Options = node.StepOptions?.ToStored(),
        };
    }

    /// <exception cref="WorkflowNotFoundException">The function is not part of this program.</exception>
    internal static StepDefinition FindStep(string name) =>
        WorkflowRegistry.FindStep(name) ?? throw new WorkflowNotFoundException($"Function '{name}' is not a [Step] or [Remote] function of this program.");
}

/// <summary>A node of a stored graph.</summary>
internal sealed record GraphDocumentNode
{
    public WorkflowNodeKind Kind { get; init; }

    public string Name { get; init; } = "";

    public IReadOnlyList<GraphArgument> Arguments { get; init; } = [];

    public TimeSpan? Duration { get; init; }

    public bool IsCaught { get; init; }

    public StepOptions? Options { get; init; }
}

/// <summary>An argument in a stored graph: the index of another node, or a value.</summary>
internal sealed record GraphArgument(int? Node, JsonElement? Value);
