using System.Globalization;

namespace Serve.Inference.Tensors;

/// <summary>Triton's classification extension: replaces an output by its largest elements, each as <c>VALUE:INDEX</c>. Labels are not supported.</summary>
internal static class ClassificationOutputs
{
    /// <summary>Returns whether elements of a datatype have an order.</summary>
    public static bool CanRank(TensorType type) => type is not (TensorType.Bool or TensorType.String);

    /// <summary>Replaces the outputs that are requested as classes. The other outputs share the memory of the original ones, which still own it.</summary>
    public static ModelOutputs Apply(ModelOutputs outputs, InferenceRequest request, OnnxModel model)
    {
        if (request.Outputs.TrueForAll(static output => output.Classes == 0))
            return outputs;
        var all = outputs.ToArray();
        for (var index = 0; index < all.Length; index++)
        {
            var (name, tensor) = all[index];
            if (request.Outputs[index].Classes is > 0 and var classes)
                all[index] = new(name, TensorElementFormat.Of(tensor.Type).Rank(tensor, classes, model.Outputs.First(spec => spec.Name == name).HasBatch));
        }

        return new(all);
    }

    /// <summary>Returns the largest elements of each item of a tensor whose datatype <see cref="CanRank"/>.</summary>
    public static Tensor<string> Rank<T>(Tensor<T> tensor, int classes, bool hasBatch)
    {
        var rows = hasBatch ? (int)tensor.Shape[0] : 1;
        var length = rows == 0 ? 0 : tensor.Count / rows;
        var count = Math.Min(classes, length);
        var texts = new string[rows * count];
        var values = new T[length];
        var order = new int[length];
        var comparer = Comparer<T>.Default;
        for (var row = 0; row < rows; row++)
        {
            tensor.Values.Span.Slice(row * length, length).CopyTo(values);
            for (var index = 0; index < length; index++)
                order[index] = index;
            // Descending; equal elements by index.
            Array.Sort(order, (one, other) => comparer.Compare(values[other], values[one]) is not 0 and var sign ? sign : one - other);
            for (var place = 0; place < count; place++)
                texts[(row * count) + place] = string.Create(CultureInfo.InvariantCulture, $"{values[order[place]]}:{order[place]}");
        }

        return hasBatch ? Tensor.Of(texts, rows, count) : Tensor.Of(texts, count);
    }
}
