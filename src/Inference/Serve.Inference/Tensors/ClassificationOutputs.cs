using System.Globalization;

namespace Serve.Inference.Tensors;

/// <summary>Triton's classification extension: in place of an output its largest elements, each as <c>VALUE:INDEX</c>. Models here have no labels.</summary>
internal static class ClassificationOutputs
{
    /// <summary>Whether elements of a type have an order by size.</summary>
    public static bool CanRank(TensorType type) => type is not (TensorType.Bool or TensorType.String);

    /// <summary>The outputs with those that are wanted as classes in that form. They lie where the model's outputs do, whose owner stays the same.</summary>
    public static ModelOutputs Apply(ModelOutputs outputs, InferenceRequest request, OnnxModel model)
    {
        if (request.Outputs.TrueForAll(static output => output.Classes == 0))
            return outputs;
        var all = outputs.ToArray();
        for (var index = 0; index < all.Length; index++)
        {
            var (name, tensor) = all[index];
            if (request.Outputs[index].Classes is > 0 and var classes)
                all[index] = new(name, Rank(tensor, classes, model.Outputs.First(spec => spec.Name == name).HasBatch));
        }

        return new(all);
    }

    private static Tensor<string> Rank(Tensor tensor, int classes, bool hasBatch) => tensor switch
    {
        Tensor<byte> typed => Rank(typed, classes, hasBatch),
        Tensor<ushort> typed => Rank(typed, classes, hasBatch),
        Tensor<uint> typed => Rank(typed, classes, hasBatch),
        Tensor<ulong> typed => Rank(typed, classes, hasBatch),
        Tensor<sbyte> typed => Rank(typed, classes, hasBatch),
        Tensor<short> typed => Rank(typed, classes, hasBatch),
        Tensor<int> typed => Rank(typed, classes, hasBatch),
        Tensor<long> typed => Rank(typed, classes, hasBatch),
        Tensor<Half> typed => Rank(typed, classes, hasBatch),
        Tensor<BFloat16> typed => Rank(Tensor.Of(Array.ConvertAll(typed.ToArray<BFloat16>(), static value => (float)value), [.. typed.Shape]), classes, hasBatch),
        Tensor<float> typed => Rank(typed, classes, hasBatch),
        Tensor<double> typed => Rank(typed, classes, hasBatch),
        _ => throw new NotSupportedException($"{tensor} has no largest elements."),
    };

    private static Tensor<string> Rank<T>(Tensor<T> tensor, int classes, bool hasBatch)
        where T : IComparable<T>, IFormattable
    {
        var rows = hasBatch ? (int)tensor.Shape[0] : 1;
        var length = rows == 0 ? 0 : tensor.Count / rows;
        var count = Math.Min(classes, length);
        var texts = new string[rows * count];
        var values = new T[length];
        var order = new int[length];
        for (var row = 0; row < rows; row++)
        {
            tensor.Values.Span.Slice(row * length, length).CopyTo(values);
            for (var index = 0; index < length; index++)
                order[index] = index;
            // The largest first, of equal ones the first.
            Array.Sort(order, (one, other) => values[other].CompareTo(values[one]) is not 0 and var sign ? sign : one - other);
            for (var place = 0; place < count; place++)
                texts[(row * count) + place] = string.Create(CultureInfo.InvariantCulture, $"{values[order[place]]}:{order[place]}");
        }

        return hasBatch ? Tensor.Of(texts, rows, count) : Tensor.Of(texts, count);
    }
}
