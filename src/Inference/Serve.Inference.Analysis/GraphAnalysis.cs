using Serve.Inference.Analysis.Facts;
using Serve.Inference.Analysis.Format;
using Serve.Inference.Analysis.Rules;

namespace Serve.Inference.Analysis;

/// <summary>Evaluates the nodes of a graph in order: the rule of an operator derives the facts about its outputs from the facts about its inputs.</summary>
internal sealed class GraphAnalysis(OnnxFile file)
{
    private const int MaxNesting = 20;

    private Dictionary<string, long> _opsets = file.Opsets;
    private int _depth;

    public LengthArithmetic Arithmetic { get; } = new();

    public void Evaluate(IEnumerable<OnnxNode> nodes, FactScope scope)
    {
        foreach (var node in nodes)
        {
            TensorFact?[] inputs = [.. node.Inputs.Select(name => name.Length == 0 ? null : scope.Find(name) ?? TensorFact.Unknown($"no value is named '{name}'"))];
            var outputs = Evaluate(node, inputs, scope);
            for (var index = 0; index < node.Outputs.Count; index++)
            {
                var fact = index < outputs.Length ? outputs[index] : TensorFact.Unknown($"no rule for output {index}");
                scope.Set(node.Outputs[index], fact is { IsRejected: true, Origin: null } ? fact with { Origin = node.ToString() } : fact);
            }
        }
    }

    private TensorFact[] Evaluate(OnnxNode node, TensorFact?[] inputs, FactScope scope)
    {
        var rejected = inputs.FirstOrDefault(input => input is { IsRejected: true, IsRefuted: true }) ?? inputs.FirstOrDefault(input => input is { IsRejected: true });
        if (rejected is not null)
            return All(node, IndexRules.UseRowNumbers(node, inputs) ?? rejected with { RowNumbersShape = null, HasIndexColumns = false });
        if (file.Functions.TryGetValue((node.Domain, node.Operator, node.Overload), out var function))
            return Inline(function, node, inputs);
        if (node.Attributes.Values.Any(attribute => attribute.Graph is not null || attribute.HasGraphList))
            return EvaluateControlFlow(node, inputs, scope);
        if (node.Attributes.Values.Any(attribute => attribute.Reference.Length > 0))
            return All(node, TensorFact.Unknown("an attribute refers to nothing"));
        if (OperatorRules.IsRandom(node))
            return All(node, TensorFact.Random("is random"));

        var call = new OperatorCall(node, inputs, _opsets.GetValueOrDefault(node.Domain, 1), Arithmetic);
        var outputs = OperatorRules.Apply(node.Domain, call)
            ?? All(node, TensorFact.Unknown(OperatorRules.IsKnownDomain(node.Domain) ? "there is no rule for this operator" : "the operator is of another domain"));
        // Whatever a known operator computes from constants is constant.
        return OperatorRules.IsKnownDomain(node.Domain) && call.HasConstantInputs
            ? [.. outputs.Select(output => output is { IsRejected: true, IsRandom: false } ? TensorFact.AnyFixed : output)]
            : outputs;
    }

    private static TensorFact[] All(OnnxNode node, TensorFact fact) => [.. Enumerable.Repeat(fact, Math.Max(1, node.Outputs.Count))];

    private TensorFact[] Inline(OnnxFunction function, OnnxNode call, TensorFact?[] inputs)
    {
        if (_depth >= MaxNesting)
            return All(call, TensorFact.Unknown($"functions are nested more than {MaxNesting} levels deep"));
        var scope = new FactScope(parent: null);
        for (var index = 0; index < Math.Min(function.Inputs.Count, inputs.Length); index++)
        {
            if (inputs[index] is { } given)
                scope.Set(function.Inputs[index], given);
        }

        Dictionary<string, OnnxAttribute> arguments = [];
        foreach (var attribute in function.Defaults.Concat(call.Attributes.Values))
            arguments[attribute.Name] = attribute;
        var outer = _opsets;
        if (function.Opsets.Count > 0)
            _opsets = function.Opsets;
        _depth++;
        try
        {
            Evaluate(function.Nodes.Select(Bind), scope);
        }
        finally
        {
            _depth--;
            _opsets = outer;
        }

        return [.. function.Outputs.Select(output => scope.Find(output) ?? TensorFact.Unknown("is not computed"))];

        OnnxNode Bind(OnnxNode node)
        {
            Dictionary<string, OnnxAttribute> attributes = [];
            foreach (var (name, attribute) in node.Attributes)
            {
                if (attribute.Reference.Length == 0)
                    attributes[name] = attribute;
                else if (arguments.TryGetValue(attribute.Reference, out var argument))
                    attributes[name] = argument with { Name = name };
            }

            return new()
            {
                Name = call.Name.Length == 0 ? node.Name : $"{call.Name}/{node.Name}",
                Operator = node.Operator,
                Domain = node.Domain,
                Overload = node.Overload,
                Inputs = [.. node.Inputs.Select(name => function.Inputs.IndexOf(name) is var index && index >= 0 && (index >= inputs.Length || inputs[index] is null) ? "" : name)],
                Outputs = node.Outputs,
                Attributes = attributes,
            };
        }
    }

    private TensorFact[] EvaluateControlFlow(OnnxNode node, TensorFact?[] inputs, FactScope scope)
    {
        if (node is { Domain: "", Operator: "If" } && inputs is [{ IsConstant: true } condition] && _depth < MaxNesting
            && node.Attributes.GetValueOrDefault("then_branch")?.Graph is { } then && node.Attributes.GetValueOrDefault("else_branch")?.Graph is { } otherwise)
        {
            if (condition.Elements is [{ IsConstant: true } known])
                return EvaluateBranch(known.Constant != 0 ? then : otherwise, scope);
            return [.. EvaluateBranch(then, scope).Zip(EvaluateBranch(otherwise, scope), Meet)];
        }

        HashSet<string> captured = [];
        foreach (var attribute in node.Attributes.Values)
        {
            if (attribute.HasGraphList)
                return All(node, TensorFact.Unknown("a list of graphs"));
            if (attribute.Graph is { } graph)
                CollectCaptured(graph, captured);
        }

        var isConstant = OperatorRules.IsKnownDomain(node.Domain)
            && inputs.Concat(captured.Select(scope.Find)).All(value => value is null or { IsConstant: true })
            && !node.Attributes.Values.Any(attribute => attribute.Graph is { } graph && MayBeRandom(graph));
        return All(node, isConstant ? TensorFact.AnyFixed : TensorFact.Unknown(node.Operator == "If" ? "the condition depends on the rows" : "control flow over the rows"));
    }

    private TensorFact[] EvaluateBranch(OnnxGraph graph, FactScope outer)
    {
        var scope = new FactScope(outer);
        foreach (var initializer in graph.Initializers)
            scope.Set(initializer);
        _depth++;
        try
        {
            Evaluate(graph.Nodes, scope);
        }
        finally
        {
            _depth--;
        }

        return [.. graph.Outputs.Select(output => scope.Find(output.Name) ?? TensorFact.Unknown("is not computed"))];
    }

    private static void CollectCaptured(OnnxGraph graph, HashSet<string> captured)
    {
        HashSet<string> used = [.. graph.Outputs.Select(output => output.Name)];
        foreach (var node in graph.Nodes)
        {
            used.UnionWith(node.Inputs);
            foreach (var attribute in node.Attributes.Values)
            {
                if (attribute.Graph is { } inner)
                    CollectCaptured(inner, used);
            }
        }

        used.ExceptWith(graph.Inputs.Select(input => input.Name));
        used.ExceptWith(graph.Initializers.Select(initializer => initializer.Name));
        used.ExceptWith(graph.Nodes.SelectMany(node => node.Outputs));
        used.Remove("");
        captured.UnionWith(used);
    }

    private bool MayBeRandom(OnnxGraph graph) => graph.Nodes.Any(node =>
        OperatorRules.IsRandom(node) || node.Operator == "Dropout" || !OperatorRules.IsKnownDomain(node.Domain)
        || file.Functions.ContainsKey((node.Domain, node.Operator, node.Overload))
        || node.Attributes.Values.Any(attribute => attribute.HasGraphList || (attribute.Graph is { } inner && MayBeRandom(inner))));

    /// <summary>Returns the common facts of two alternative values.</summary>
    private TensorFact Meet(TensorFact left, TensorFact right)
    {
        if (left.IsRejected || right.IsRejected)
            return left.IsRejected ? left : right;
        if (left.Kind != right.Kind)
            return TensorFact.Unknown("one branch carries rows and the other does not");
        var shape = left.Shape is { } lefts && right.Shape is { } rights && lefts.Length == rights.Length
            ? lefts.Zip(rights, (a, b) => a.Equals(b) ? a : a.DependsOnRowCount || b.DependsOnRowCount ? null : Arithmetic.NewLength()).ToArray()
            : null;
        if (left.IsPerRow)
        {
            return shape is null || Array.Exists(shape, length => length is null) || left.RowDimension != right.RowDimension || !left.HasLayoutOf(right)
                ? TensorFact.Unknown("the branches carry the rows differently")
                : left.Reshaped(shape!, left.RowDimension) with { IsUniform = false };
        }

        return left.DependsOnRowCount || right.DependsOnRowCount ? TensorFact.Unknown("the branches depend on the number of rows")
            : shape is null ? TensorFact.AnyFixed : TensorFact.OfShape(shape!);
    }
}

/// <summary>Facts by name: of a graph, and behind it of the graphs around it.</summary>
internal sealed class FactScope(FactScope? parent)
{
    private readonly Dictionary<string, TensorFact> _facts = [];
    private readonly Dictionary<string, OnnxTensor> _tensors = [];

    public void Set(string name, TensorFact fact)
    {
        if (name.Length > 0)
            _facts[name] = fact;
    }

    /// <summary>Adds a constant; it is looked at when it is first used.</summary>
    public void Set(OnnxTensor tensor) => _tensors[tensor.Name] = tensor;

    public TensorFact? Find(string name)
    {
        if (_facts.TryGetValue(name, out var fact))
            return fact;
        if (_tensors.TryGetValue(name, out var tensor))
            return _facts[name] = TensorFact.OfTensor(tensor);
        return parent?.Find(name);
    }
}
