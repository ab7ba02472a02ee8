using Serve.Inference.Analysis.Facts;
using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis;

/// <summary>Result of the analysis of one model.</summary>
public enum RowIndependenceVerdict
{
    /// <summary>Row r of every output depends on row r of the inputs only, or the output depends on no row at all.</summary>
    Proven,

    /// <summary>An output mixes rows, or does not carry them in its first dimension.</summary>
    Refuted,

    /// <summary>Neither could be shown: an operator has no rule, or a length is not known to follow the rows.</summary>
    Unknown,
}

/// <summary>
/// Whether requests to a model may be joined along the first dimension of its inputs and the outputs split again, without changing any answer.
/// </summary>
/// <remarks>
/// The proof holds under these conditions, which the code that joins requests must ensure: the inputs of one request have the same number of rows; all lengths but the first
/// are the same for the requests that are joined; initializers that are also listed as inputs are not overridden. It is about mathematics, not about the last
/// bits of floating-point sums.
/// </remarks>
/// <param name="Verdict">The result.</param>
/// <param name="Reason">Output, node and cause that stand in the way; empty if proven.</param>
/// <param name="WholeOutputs">Outputs that are the same in every run: each request receives all of them.</param>
public sealed record RowIndependence(RowIndependenceVerdict Verdict, string Reason, IReadOnlyList<string> WholeOutputs)
{
    /// <summary>Analyzes a model from the bytes of its file. Weights are not read, so a mapped file may be given.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <returns>The verdict; <see cref="RowIndependenceVerdict.Unknown"/> for an invalid model.</returns>
    public static RowIndependence Analyze(ReadOnlyMemory<byte> model)
    {
        try
        {
            return Analyze(OnnxFile.Parse(model));
        }
        catch (InvalidDataException thrown)
        {
            return new(RowIndependenceVerdict.Unknown, thrown.Message, []);
        }
    }

    /// <summary>Analyzes a model from its file, which is mapped and not read as a whole.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <returns>The verdict; <see cref="RowIndependenceVerdict.Unknown"/> for a file that cannot be read or is larger than 2 GB.</returns>
    public static RowIndependence AnalyzeFile(string path)
    {
        try
        {
            using var file = new MappedFileMemory(path);
            return Analyze(file.Memory);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException or OverflowException or ArgumentException)
        {
            return new(RowIndependenceVerdict.Unknown, $"the file cannot be mapped: {thrown.Message.Replace(path, Path.GetFileName(path), StringComparison.Ordinal)}", []);
        }
    }

    private static RowIndependence Analyze(OnnxFile file)
    {
        var analysis = new GraphAnalysis(file);
        var scope = new FactScope(parent: null);
        var hasInputs = false;
        foreach (var initializer in file.Graph.Initializers)
            scope.Set(initializer);
        foreach (var input in file.Graph.Inputs.Where(input => scope.Find(input.Name) is null))
        {
            if (!input.IsTensor || input.Shape is null)
                return new(RowIndependenceVerdict.Unknown, $"input '{input.Name}' {(input.IsTensor ? "has no declared rank" : "is not a tensor")}", []);
            if (input.Shape is [] or [not null, ..])
                return new(RowIndependenceVerdict.Refuted, $"input '{input.Name}' has no open first dimension", []);
            // Symbols of the file are not trusted: ONNX Runtime does not check that equal names have equal lengths.
            SymbolicLength[] shape = [.. input.Shape.Select((length, index) =>
                index == 0 ? SymbolicLength.RowCount : length is { } known ? SymbolicLength.Of(known) : analysis.Arithmetic.NewLength())];
            scope.Set(input.Name, TensorFact.OfRows(shape, rowDimension: 0));
            hasInputs = true;
        }

        if (!hasInputs)
            return new(RowIndependenceVerdict.Refuted, "the model has no inputs", []);
        analysis.Evaluate(file.Graph.Nodes, scope);
        return Conclude(file.Graph.Outputs, scope);
    }

    private static RowIndependence Conclude(List<OnnxValueInfo> outputs, FactScope scope)
    {
        var (verdict, reason) = (RowIndependenceVerdict.Proven, "");
        List<string> whole = [];
        var hasRows = false;
        foreach (var output in outputs)
        {
            var fact = scope.Find(output.Name) ?? TensorFact.Unknown("is not computed");
            if (fact.IsConstant)
            {
                whole.Add(output.Name);
                continue;
            }

            hasRows = true;
            var (found, why) = Judge(fact);
            // One refuted output decides, whatever is unknown of the others.
            if (found == RowIndependenceVerdict.Proven || verdict == RowIndependenceVerdict.Refuted
                || (verdict == RowIndependenceVerdict.Unknown && found == RowIndependenceVerdict.Unknown))
                continue;
            (verdict, reason) = (found, $"output '{output.Name}': {why}");
        }

        return hasRows ? new(verdict, reason, verdict == RowIndependenceVerdict.Proven ? whole : []) : new(RowIndependenceVerdict.Refuted, "no output carries the rows", []);
    }

    private static (RowIndependenceVerdict Verdict, string Reason) Judge(TensorFact fact) => fact switch
    {
        { IsRejected: true } => (fact.IsRefuted ? RowIndependenceVerdict.Refuted : RowIndependenceVerdict.Unknown, fact.ToString()),
        { IsFixed: true } => (RowIndependenceVerdict.Refuted, "depends on the number of rows and does not carry them"),
        { HasPlainRows: true } => (RowIndependenceVerdict.Proven, ""),
        { RowDimension: 0, IsUniform: true } when fact.Lengths[0].Equals(SymbolicLength.RowCount) => (RowIndependenceVerdict.Proven, ""),
        _ => (RowIndependenceVerdict.Refuted, $"carries the rows in dimension {fact.RowDimension}, not as the items of the first"),
    };
}
