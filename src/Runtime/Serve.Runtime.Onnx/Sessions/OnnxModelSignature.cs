using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Runs;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>What a model takes and gives, and whether a caller's tensors are that. Never changes.</summary>
internal sealed class OnnxModelSignature
{
    private readonly int[] _all;
    private readonly int[][] _single;
    private readonly string[] _notTensors;

    private OnnxModelSignature(ImmutableArray<TensorSpec> inputs, ImmutableArray<TensorSpec> outputs, string[] notTensors)
    {
        (Inputs, Outputs, this._notTensors) = (inputs, outputs, notTensors);
        InputNames = [.. inputs.Select(input => input.Name)];
        _all = [.. Enumerable.Range(0, outputs.Length)];
        _single = [.. _all.Select(place => new[] { place })];
    }

    public IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>The outputs that are tensors of a type that .NET has; others cannot be asked for.</summary>
    public IReadOnlyList<TensorSpec> Outputs { get; }

    public string[] InputNames { get; }

    /// <exception cref="InferenceException">An input is no tensor, or of elements that .NET has not.</exception>
    public static OnnxModelSignature Of(InferenceSession session, string name)
    {
        var inputs = session.InputNames.Select(input => Spec(input, session.InputMetadata[input])
            ?? throw new InferenceException($"{name} takes '{input}' as {Describe(session.InputMetadata[input])}, which cannot be given to it from here: only tensors of {string.Join(", ", TensorTypes.Names)} can."));
        var outputs = session.OutputNames.Select(output => (Name: output, Spec: Spec(output, session.OutputMetadata[output]))).ToList();
        return new(
            [.. inputs],
            [.. outputs.Select(output => output.Spec).OfType<TensorSpec>()],
            [.. outputs.Where(output => output.Spec is null).Select(output => output.Name)]);
    }

    /// <summary>Sees whether tensors are what the model takes.</summary>
    /// <returns>The same in the graph's order.</returns>
    /// <exception cref="BadInputException">They are not.</exception>
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

    /// <summary>The places in the graph of outputs that are asked for.</summary>
    /// <param name="names">Null for all.</param>
    /// <exception cref="BadInputException">There is none of such a name.</exception>
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
            : throw new BadInputException(places.Length == 0 ? "No output is asked for." : $"An output is asked for twice: {string.Join(", ", names)}.");
    }

    private static void Check(TensorSpec expected, Tensor? came)
    {
        if (came is null)
            throw new BadInputException($"Input '{expected.Name}' is null; the model takes {expected}.");
        if (came.Type != expected.Type)
            throw new BadInputException($"Input '{expected.Name}' is of {TensorTypes.NameOf(came.Type)}; the model takes {expected}.");
        if (!expected.Fits(came.Shape))
            throw new BadInputException($"Input '{expected.Name}' has the shape [{string.Join(",", came.Shape.ToArray())}]; the model takes {expected}{(expected.Shape.Contains(-1) ? ", where -1 is any length" : "")}.");
        if (came is Tensor<string> texts && texts.Values.Span.IndexOf((string)null!) is >= 0 and var place)
            throw new BadInputException($"Input '{expected.Name}' has null at {place}; the model takes texts.");
    }

    private NamedTensor[] Order(IReadOnlyList<NamedTensor> inputs)
    {
        var ordered = new NamedTensor[Inputs.Count];
        foreach (var input in inputs)
        {
            var place = Array.IndexOf(InputNames, input.Name);
            if (place < 0)
                throw new BadInputException($"There is no input '{input.Name}'{Meant(input.Name, InputNames)}. The model takes {string.Join("; ", Inputs)}.");
            if (ordered[place].Name is not null)
                throw new BadInputException($"Input '{input.Name}' came twice.");
            ordered[place] = input;
        }

        var missing = Inputs.Where((_, place) => ordered[place].Name is null).ToList();
        return missing.Count == 0
            ? ordered
            : throw new BadInputException($"{(missing.Count == 1 ? "An input is" : $"{missing.Count} inputs are")} missing: {string.Join("; ", missing)}.");
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
        ? $"Output '{name}' is no tensor of a type that .NET has, and cannot be given. The model gives {string.Join("; ", Outputs)}."
        : $"There is no output '{name}'{Meant(name, Outputs.Select(output => output.Name))}. The model gives {string.Join("; ", Outputs)}.");

    private static string Meant(string name, IEnumerable<string> known) => NearestNameFinder.Find(name ?? "", known) is { } near ? $" (did you mean '{near}'?)" : "";

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
