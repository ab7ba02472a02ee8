using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis.Facts;

/// <summary>One call of an operator, as its rule receives it: attributes and the facts about its inputs. No input is a rejected tensor.</summary>
internal sealed class OperatorCall(OnnxNode node, TensorFact?[] inputs, long opset, LengthArithmetic arithmetic)
{
    // Element types of onnx.proto that Cast rules need.
    public const long Int32 = 6;
    public const long Int64 = 7;
    public const long Bool = 9;

    private const long MaxIndexCount = 16;

    public string Operator => node.Operator;

    /// <summary>Imported version of the operator's domain.</summary>
    public long Opset => opset;

    public LengthArithmetic Arithmetic => arithmetic;

    /// <summary>The inputs; null where an optional one is omitted.</summary>
    public TensorFact?[] Inputs => inputs;

    public int OutputCount => Math.Max(1, node.Outputs.Count);

    /// <summary>Whether every given input is the same in every run.</summary>
    public bool HasConstantInputs => inputs.All(input => input is null or { IsConstant: true });

    public TensorFact? Input(int index) => index < inputs.Length ? inputs[index] : null;

    /// <exception cref="InvalidDataException">The input is missing.</exception>
    public TensorFact Required(int index) =>
        Input(index) ?? throw new InvalidDataException($"Input {index} of {node} is missing.");

    public bool HasOutput(int index) => index < node.Outputs.Count && node.Outputs[index].Length > 0;

    public bool Has(string attribute) => node.Attributes.ContainsKey(attribute);

    public OnnxAttribute? Attribute(string name) => node.Attributes.GetValueOrDefault(name);

    public long Integer(string attribute, long otherwise) => Attribute(attribute)?.Integer ?? otherwise;

    public bool Flag(string attribute) => Integer(attribute, 0) != 0;

    public string Text(string attribute, string otherwise) => Attribute(attribute)?.Text ?? otherwise;

    public long[]? Integers(string attribute) => Attribute(attribute)?.Integers;

    /// <summary>Returns an axis counted from the front.</summary>
    /// <exception cref="InvalidDataException">There is no such axis.</exception>
    public static int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)(axis < 0 ? axis + rank : axis) : throw new InvalidDataException($"Axis {axis} of a tensor of rank {rank}.");

    public int Axis(string attribute, long otherwise, int rank) => Axis(Integer(attribute, otherwise), rank);

    /// <summary>Returns the elements of a fixed tensor if all are known numbers.</summary>
    public static long[]? KnownNumbers(TensorFact? fact) =>
        fact is { IsFixed: true, Elements: { } elements } && elements.All(element => element.IsConstant) ? [.. elements.Select(element => element.Constant)] : null;

    /// <summary>Returns numbers that older opsets have as an attribute and newer ones as an input; null if they are given but not known.</summary>
    public long[]? NumbersOfInputOrAttribute(int input, string attribute) => Input(input) is { } given ? KnownNumbers(given) : Integers(attribute);

    /// <summary>Returns the elements of a fixed vector or scalar, new symbols where they are not known; null if their number is not known or large.</summary>
    public SymbolicLength[]? ElementsOf(TensorFact? fact)
    {
        if (fact is not { IsFixed: true })
            return null;
        if (fact.Elements is { } known)
            return known;
        if (fact.DependsOnRowCount || fact.Shape is not { Length: <= 1 } shape || shape.Any(length => !length.IsConstant || length.Constant > MaxIndexCount))
            return null;
        return [.. Enumerable.Range(0, shape.Length == 0 ? 1 : (int)shape[0].Constant).Select(_ => arithmetic.NewNumber())];
    }

    /// <summary>Returns the rejection that follows if an input other than the first is not constant; null if all are.</summary>
    public TensorFact? RejectVariableInputs(int from = 1)
    {
        for (var index = from; index < inputs.Length; index++)
        {
            if (inputs[index] is { IsConstant: false } input)
                return TensorFact.Refuted(input.IsPerRow ? $"input {index} comes from the rows and acts on all of them" : $"input {index} depends on the number of rows");
        }

        return null;
    }
}
