using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// Output of scikit-learn's ZipMap, a sequence of one map from class label to probability per item, as a tensor: a row per item and a column per class, in ascending order of the labels.
/// </summary>
internal static class ClassProbabilityTable
{
    /// <summary>Shape of the tensor: numbers of items and classes.</summary>
    public static ReadOnlySpan<long> Shape => [-1, -1];

    /// <summary>Returns whether an output is a sequence of maps from class label to probability.</summary>
    public static bool IsTable(NodeMetadata node)
    {
        if (node.OnnxValueType != OnnxValueType.ONNX_TYPE_SEQUENCE)
            return false;
        var element = node.AsSequenceMetadata().ElementMeta;
        return element.OnnxValueType == OnnxValueType.ONNX_TYPE_MAP
            && element.AsMapMetadata().ValueMetadata is { IsTensor: true } values && OnnxElementTypes.Of(values.ElementDataType) == TensorType.Float32;
    }

    /// <summary>Copies the probabilities.</summary>
    /// <param name="name">Name of the output, for errors.</param>
    /// <param name="value">The sequence.</param>
    /// <param name="memory">Releases the sequence.</param>
    /// <exception cref="InferenceException">The items have different classes.</exception>
    public static Tensor Read(string name, OrtValue value, out IDisposable memory)
    {
        memory = value;
        var rows = new List<float[]>();
        string? classes = null;
        value.ProcessSequence(
            (map, _) => map.ProcessMap(
                (labels, probabilities) =>
                {
                    var found = LabelsOf(labels);
                    if ((classes ??= found) != found)
                        throw new InferenceException($"Output '{name}' cannot be a tensor: its items have different classes.");
                    rows.Add(probabilities.GetTensorDataAsSpan<float>().ToArray());
                },
                OrtAllocator.DefaultInstance),
            OrtAllocator.DefaultInstance);
        return Tensor.Of(rows.SelectMany(static row => row).ToArray(), rows.Count, rows.Count == 0 ? 0 : rows[0].Length);
    }

    private static string LabelsOf(OrtValue labels) => labels.GetTensorTypeAndShape().ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.String
        ? string.Join('\0', labels.GetStringTensorAsArray())
        : string.Join('\0', labels.GetTensorDataAsSpan<long>().ToArray());
}
