using System.Text.Json;
using Serve.Workflows.Definitions;

namespace Serve.Workflows.Graphs;

/// <summary>
/// Runs graphs as workflow code: each call of a function is a step, started when its arguments are ready. A step that returns a continuation is replaced by that graph; a chain of continuations
/// runs in a loop, so it does not nest.
/// </summary>
internal static class GraphInterpreter
{
    /// <summary>The name of the built-in workflow that runs one graph.</summary>
    public const string WorkflowName = "graph";

    public static void Register() => WorkflowRegistry.Add(new WorkflowDefinition(
        typeof(GraphInterpreter), WorkflowName, 1, [typeof(GraphDocument)], typeof(JsonElement), static () => WorkflowName,
        static async (_, context, arguments) => await Evaluate(context, (GraphDocument)arguments[0]!, 0)));

    /// <summary>Returns whether functions with this result type continue with graphs.</summary>
    public static bool IsContinuation(Type resultType) => resultType is { IsGenericType: true } && resultType.GetGenericTypeDefinition() == typeof(Workflow<>);

    public static async Task<T> Run<T>(WorkflowContext context, GraphDocument graph) => context.Json.Read<T>((await Evaluate(context, graph, 0)).GetRawText())!;

    /// <summary>Runs a function that returns a continuation, and the graphs that follow.</summary>
    public static async Task<StepResult<T>> RunContinuation<T>(WorkflowContext context, StepDefinition definition, StepOptions? options, object?[] arguments)
    {
        var first = await context.Start<JsonElement>(definition.CreateCall(arguments, (options ?? new()).Or(definition.Defaults)));
        if (first.Error is { } error)
            return new(default, error);
        try
        {
            var (value, next) = ReadContinuation(context, first.Value);
            return new(context.Json.Read<T>((next is null ? value : await Evaluate(context, next, 1)).GetRawText()), null);
        }
        catch (WorkflowStepException failure)
        {
            return new(default, failure.Error);
        }
    }

    private static async Task<JsonElement> Evaluate(WorkflowContext context, GraphDocument graph, int depth)
    {
        while (true)
        {
            if (depth > context.MaxDepth)
                throw new WorkflowLimitException($"Workflow '{context.Id}' continued more than {context.MaxDepth:N0} times. Check its recursion.");

            // In the order of the nodes, in which arguments precede their users: without recursion, however long a chain is.
            var results = new Task<JsonElement>[graph.Nodes.Count];
            for (var i = 0; i < results.Length - 1; i++)
                results[i] = EvaluateArgument(context, graph.Nodes[i], results, depth);
            var (value, next) = await EvaluateNode(context, graph.Nodes[^1], results, depth);
            if (next is null)
                return value;
            graph = next;
            depth++;
        }
    }

    private static async Task<(JsonElement Value, GraphDocument? Next)> EvaluateNode(WorkflowContext context, GraphDocumentNode node, Task<JsonElement>[] results, int depth)
    {
        // One after the other: Task.WhenAll leaves the context when a long chain of calls fails at once and the stack is nearly used up.
        var arguments = new JsonElement[node.Arguments.Count];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = node.Arguments[i].Node is { } source ? await results[source] : node.Arguments[i].Value ?? default;
        switch (node.Kind)
        {
            case WorkflowNodeKind.Sleep:
                await context.Sleep(node.Duration ?? TimeSpan.Zero);
                return (JsonSerializer.SerializeToElement<object?>(null), null);
            case WorkflowNodeKind.Event:
                return (await context.WaitForEvent<JsonElement>(node.Name, node.Duration), null);
        }

        var result = await RunFunction(context, node, arguments);
        if (result.Error is null && IsContinuation(GraphDocument.FindStep(node.Name).ResultType))
        {
            var (value, next) = ReadContinuation(context, result.Value);
            if (next is null || !node.IsCaught)
                return next is null ? (Wrap(context, node, value), null) : (default, next);
            result = await TryEvaluate(context, next, depth + 1);
        }

        if (result.Error is { } error && !node.IsCaught)
            throw new WorkflowStepException(node.Options?.Name ?? node.Name, error);
        return (node.IsCaught ? WrapResult(context, result) : result.Value, null);
    }

    private static async Task<JsonElement> EvaluateArgument(WorkflowContext context, GraphDocumentNode node, Task<JsonElement>[] results, int depth)
    {
        var (value, next) = await EvaluateNode(context, node, results, depth);
        return next is null ? value : await Evaluate(context, next, depth + 1);
    }

    private static async Task<StepResult<JsonElement>> TryEvaluate(WorkflowContext context, GraphDocument graph, int depth)
    {
        try
        {
            return new(await Evaluate(context, graph, depth), null);
        }
        catch (WorkflowStepException failure)
        {
            return new(default, failure.Error);
        }
    }

    private static Task<StepResult<JsonElement>> RunFunction(WorkflowContext context, GraphDocumentNode node, JsonElement[] arguments)
    {
        var definition = WorkflowRegistry.FindStep(node.Name)
            ?? throw new NonDeterministicWorkflowException($"Function '{node.Name}' of the graph is not part of this program. Add it again and resume the workflow.");
        object?[] values;
        try
        {
            values = [.. arguments.Select((argument, i) => context.Json.Read(argument.ValueKind == JsonValueKind.Undefined ? null : argument.GetRawText(), definition.ParameterTypes[i]))];
        }
        catch (JsonException failure)
        {
            throw new NonDeterministicWorkflowException($"An argument of function '{node.Name}' does not fit its parameter any more: {failure.Message}");
        }

        var options = (node.Options ?? new()).Or(definition.Defaults);
        return context.Start<JsonElement>(definition.CreateCall(values, options));
    }

    private static JsonElement Wrap(WorkflowContext context, GraphDocumentNode node, JsonElement value) => node.IsCaught ? WrapResult(context, new(value, null)) : value;

    private static JsonElement WrapResult(WorkflowContext context, StepResult<JsonElement> result)
    {
        object stored = result.Error is { } error ? new { Error = error } : new { result.Value, Error = (WorkflowError?)null };
        return context.Json.Read<JsonElement>(context.Json.Write(stored, stored.GetType(), "The result"));
    }

    private static (JsonElement Value, GraphDocument? Next) ReadContinuation(WorkflowContext context, JsonElement stored) =>
        stored.ValueKind == JsonValueKind.Object && stored.TryGetProperty("Graph", out var graph) && graph.ValueKind == JsonValueKind.Object
            ? (default, context.Json.Read<GraphDocument>(graph.GetRawText()))
            : (stored.ValueKind == JsonValueKind.Object && stored.TryGetProperty("Value", out var value) ? value : default, null);
}
