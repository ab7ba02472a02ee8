using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Runs;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Inputs and outputs of a model, and validation of a caller's tensors. Immutable.</summary>
internal sealed class OnnxModelSignature
{
    private readonly int[] _all;
    private readonly int[][] _single;
    private readonly int[] _passedThrough;
    private readonly string[] _notTensors;

    private OnnxModelSignature(ImmutableArray<TensorSpec> inputs, ImmutableArray<TensorSpec> outputs, string[] notTensors)
    {
        (Inputs, Outputs, _notTensors) = (inputs, outputs, notTensors);
        InputNames = [.. inputs.Select(input => input.Name)];
        _all = [.. Enumerable.Range(0, outputs.Length)];
        _single = [.. _all.Select(place => new[] { place })];
        _passedThrough = [.. outputs.Select(output => Array.IndexOf(InputNames, output.Name))];
    }

    public IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>Outputs that are tensors of a type that .NET supports, or tables of class probabilities; others cannot be requested.</summary>
    public IReadOnlyList<TensorSpec> Outputs { get; }

    /// <summary>Names of the outputs that cannot be requested.</summary>
    public IReadOnlyList<string> UnsupportedOutputs => _notTensors;

    public string[] InputNames { get; }

    /// <exception cref="InferenceException">An input is not a tensor, or its element type is not supported by .NET.</exception>
    public static OnnxModelSignature Of(InferenceSession session, string name)
    {
        var inputs = session.InputNames.Select(input => Spec(input, session.InputMetadata[input])
            ?? throw new InferenceException($"Input '{input}' of {name} must be a tensor of {string.Join(", ", TensorTypes.Names)}, but is {Describe(session.InputMetadata[input])}."));
        var outputs = session.OutputNames.Select(output => (Name: output, Spec: OutputSpec(output, session.OutputMetadata[output]))).ToList();
        return new(
            [.. inputs],
            [.. outputs.Select(output => output.Spec).OfType<TensorSpec>()],
            [.. outputs.Where(output => output.Spec is null).Select(output => output.Name)]);
    }

    /// <summary>Validates input tensors.</summary>
    /// <returns>The tensors in the order of the graph.</returns>
    /// <exception cref="BadInputException">The tensors do not match the inputs of the model.</exception>
    public IReadOnlyList<NamedTensor> Check(IReadOnlyList<NamedTensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var isOrdered = inputs.Count == Inputs.Count;
        for (var index = 0; isOrdered && index < inputs.Count; index++)
            isOrdered = inputs[index].Name == InputNames[index];
        var ordered = isOrdered ? inputs : Order(inputs);
        for (var index = 0; index < ordered.Count; index++)
            Check(Inputs[index], ordered[index].Tensor);
        return ordered;
    }

    /// <summary>Finds the indices of outputs in the graph.</summary>
    /// <param name="names">Names of the outputs; null for all.</param>
    /// <exception cref="BadInputException">A name is unknown or occurs more than once.</exception>
    public int[] PlacesOf(IReadOnlyList<string>? names)
    {
        if (names is null)
            return _all;
        if (names.Count == 1)
            return _single[PlaceOf(names[0])];
        var places = new int[names.Count];
        for (var index = 0; index < places.Length; index++)
            places[index] = PlaceOf(names[index]);
        return places.Length > 0 && places.Distinct().Count() == places.Length
            ? places
            : throw new BadInputException(places.Length == 0 ? "At least one output must be requested." : $"Duplicate output: {string.Join(", ", names)}.");
    }

    /// <summary>Returns the index of the input that an output is; -1 for an output that the model computes. ONNX Runtime never writes the memory of the former.</summary>
    public int InputOf(int output) => _passedThrough[output];

    private static void Check(TensorSpec expected, Tensor? came)
    {
        if (came is null)
            throw new BadInputException($"Input '{expected.Name}' must be {expected}, but was null.");
        if (came.Type != expected.Type)
            throw new BadInputException($"Input '{expected.Name}' must be {expected}, but has the type {TensorTypes.NameOf(came.Type)}.");
        if (!expected.Fits(came.Shape))
            throw new BadInputException($"Input '{expected.Name}' must be {expected}{(expected.Shape.Contains(-1) ? ", where -1 is any length," : ",")} but has the shape [{string.Join(",", came.Shape.ToArray())}].");
        if (came is Tensor<string> texts && texts.Values.Span.IndexOf((string)null!) is >= 0 and var place)
            throw new BadInputException($"Input '{expected.Name}' must not contain null, but element {place} is null.");
    }

    private NamedTensor[] Order(IReadOnlyList<NamedTensor> inputs)
    {
        var ordered = new NamedTensor[Inputs.Count];
        foreach (var input in inputs)
        {
            var place = Array.IndexOf(InputNames, input.Name);
            if (place < 0)
                throw new BadInputException($"Unknown input '{input.Name}'{Meant(input.Name, InputNames)}. The inputs are {string.Join("; ", Inputs)}.");
            if (ordered[place].Name is not null)
                throw new BadInputException($"Duplicate input '{input.Name}'.");
            ordered[place] = input;
        }

        var missing = Inputs.Where((_, place) => ordered[place].Name is null).ToList();
        return missing.Count == 0
            ? ordered
            : throw new BadInputException($"Missing input{(missing.Count == 1 ? "" : "s")}: {string.Join("; ", missing)}.");
    }

    private int PlaceOf(string name)
    {
        for (var place = 0; place < Outputs.Count; place++)
        {
            if (Outputs[place].Name == name)
                return place;
        }

        ThrowNoOutput(name);
        return -1;
    }

    [DoesNotReturn]
    private void ThrowNoOutput(string name) => throw new BadInputException(Array.IndexOf(_notTensors, name) >= 0
        ? $"Output '{name}' is not a tensor of a type that .NET supports. The outputs are {string.Join("; ", Outputs)}."
        : $"Unknown output '{name}'{Meant(name, Outputs.Select(output => output.Name))}. The outputs are {string.Join("; ", Outputs)}.");

    private static string Meant(string name, IEnumerable<string> known) => NearestNameFinder.Find(name ?? "", known) is { } near ? $" (did you mean '{near}'?)" : "";

    private static TensorSpec? OutputSpec(string name, NodeMetadata node) =>
        ClassProbabilityTable.IsTable(node) ? new(name, TensorType.Float32, [.. ClassProbabilityTable.Shape]) : Spec(name, node);

    private static TensorSpec? Spec(string name, NodeMetadata node)
    {
        if (!node.IsTensor || OnnxElementTypes.Of(node.ElementDataType) is not { } type)
            return null;
        var symbols = node.SymbolicDimensions;
        return new(name, type, [.. node.Dimensions.Select(length => (long)length)])
        {
            Symbols = symbols.Any(symbol => symbol.Length > 0) ? [.. symbols] : [],
        };
    }

    private static string Describe(NodeMetadata node) => node.IsTensor ? $"tensor of {node.ElementDataType}" : node.OnnxValueType.ToString();
}
