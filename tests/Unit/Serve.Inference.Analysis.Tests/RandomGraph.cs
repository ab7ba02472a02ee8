namespace Serve.Inference.Analysis.Tests;

/// <summary>A length of a random graph: a constant, or a multiple of the number of rows.</summary>
internal readonly record struct GraphLength(long Factor, int Rows)
{
    public bool IsRows => Rows > 0;

    public static GraphLength operator *(GraphLength left, GraphLength right) => new(left.Factor * right.Factor, left.Rows + right.Rows);
}

/// <summary>
/// A random graph of two to eight steps. Inner lengths are small, so that they often equal the number of rows; most steps leave the rows alone, some mix them.
/// The generator keeps track of shapes only, so that most graphs run.
/// </summary>
internal sealed class RandomGraph
{
    private static readonly Action<RandomGraph>[] Steps =
    [
        Unary, Binary, Binary, WithConstant, TimesWeights, TimesWeights, WeightsTimes, MatMul, Transpose, Transpose, Reshape, Reshape, Reshape, Flatten, Squeeze, Unsqueeze, Concat,
        Split, Slice, Gather, Embedding, Softmax, Softmax, Reduce, Reduce, ArgMax, TopK, CumSum, Expand, Tile, Fill, Where, LayerNormalization, Convolution, Pool, BatchNormalization,
        InstanceNormalization, Recurrent, Pad, Resize, GatherElements, GatherNd, OneHot, Einsum, Trilu, Quantize, DynamicQuantize, LpNormalization, MultipliedByRowCount, ArangeValue,
        Branch, Scatter,
    ];

    private readonly Random _random;
    private readonly OnnxGraphBuilder _builder;
    private readonly List<Value> _values = [];

    private RandomGraph(int seed)
    {
        _random = new(seed);
        _builder = new(Choose(11, 12, 13, 13, 17, 18), seed);
        for (var index = 0; index < Choose(1, 1, 2); index++)
        {
            GraphLength[] shape = [new(1, 1), .. Lengths(Choose(0, 1, 1, 2, 2, 3))];
            Add(_builder.Input($"x{index}", Inner(shape)), shape);
        }

        if (Chance(0.35))
        {
            GraphLength[] shape = [new(1, 1), .. Lengths(Choose(0, 1))];
            _values.Add(new(_builder.Indices("ids", 3, Inner(shape)), shape, IsWhole: true));
        }
    }

    /// <summary>Makes the graph of a seed; null if nothing came of it that could carry rows.</summary>
    public static (byte[] Model, IReadOnlyList<GraphInput> Inputs)? Create(int seed)
    {
        var graph = new RandomGraph(seed);
        var inputs = graph._values.Count;
        var wanted = graph._random.Next(2, 9);
        for (var (done, tries) = (0, 0); done < wanted && tries < 60; tries++)
        {
            try
            {
                Steps[graph._random.Next(Steps.Length)](graph);
                done++;
            }
            catch (StepNotPossibleException)
            {
            }
        }

        var outputs = graph._values.Skip(inputs).Where(value => value.Shape is [{ IsRows: true }, ..]).ToList();
        if (outputs.Count == 0)
            return null;
        var plain = outputs.Where(value => value.Shape[0] == new GraphLength(1, 1)).ToList();
        var output = plain.Count > 0 ? plain[^1] : outputs[^1];
        graph._builder.Output(output.Name, output.IsWhole);
        return (graph._builder.ToArray(), graph._builder.Inputs);
    }

    private static long[] Inner(GraphLength[] shape) => [.. shape.Skip(1).Select(length => length.Factor)];

    private static GraphLength Constant(long length) => new(length, 0);

    private static GraphLength Product(IEnumerable<GraphLength> lengths) => lengths.Aggregate(Constant(1), static (product, length) => product * length);

    private static GraphLength[] Broadcast(GraphLength[] left, GraphLength[] right)
    {
        var rank = Math.Max(left.Length, right.Length);
        var shape = new GraphLength[rank];
        for (var index = 0; index < rank; index++)
        {
            var a = index - (rank - left.Length) is >= 0 and var i ? left[i] : Constant(1);
            var b = index - (rank - right.Length) is >= 0 and var j ? right[j] : Constant(1);
            shape[index] = a == b || b == Constant(1) ? a : a == Constant(1) ? b
                : a.IsRows != b.IsRows ? (a.IsRows ? a : b) : a.IsRows ? (a.Factor > b.Factor ? a : b) : throw new StepNotPossibleException();
        }

        return shape;
    }

    private static void Unary(RandomGraph graph)
    {
        var x = graph.Pick();
        graph.Add(graph._builder.Node(graph.Choose("Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Identity", "Erf", "Sin"), [x.Name]), x.Shape);
    }

    private static void Binary(RandomGraph graph)
    {
        var (x, y) = (graph.Pick(), graph.Pick());
        graph.Add(graph._builder.Node(graph.Choose("Add", "Sub", "Mul", "Max", "Min"), [x.Name, y.Name]), Broadcast(x.Shape, y.Shape));
    }

    private static void WithConstant(RandomGraph graph)
    {
        var x = graph.Pick();
        var rank = graph._random.Next(x.Shape.Length + 2);
        var shape = new long[rank];
        for (var index = 0; index < rank; index++)
        {
            var own = x.Shape.Length - rank + index;
            shape[index] = own < 0 || x.Shape[own].IsRows || graph.Chance(0.3) ? 1 : x.Shape[own].Factor;
        }

        if (rank > 0 && graph.Chance(0.1))
            shape[0] = 2;
        graph.Add(graph._builder.Node(graph.Choose("Add", "Mul"), [x.Name, graph._builder.Weights(shape)]), Broadcast(x.Shape, [.. shape.Select(Constant)]));
    }

    private static void TimesWeights(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [.., { IsRows: false }]);
        var width = graph.Choose(1L, 2L, 3L);
        graph.Add(graph._builder.Node("MatMul", [x.Name, graph._builder.Weights(x.Shape[^1].Factor, width)]), [.. x.Shape[..^1], Constant(width)]);
    }

    private static void WeightsTimes(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [.., { IsRows: false }, _]);
        var height = graph.Choose(1L, 2L, 3L);
        graph.Add(graph._builder.Node("MatMul", [graph._builder.Weights(height, x.Shape[^2].Factor), x.Name]), [.. x.Shape[..^2], Constant(height), x.Shape[^1]]);
    }

    private static void MatMul(RandomGraph graph)
    {
        var (x, y) = (graph.Pick(value => value.Shape.Length >= 2), graph.Pick(value => value.Shape.Length >= 2));
        if (x.Shape[^1] != y.Shape[^2])
        {
            var order = Enumerable.Range(0, y.Shape.Length).ToArray();
            (order[^1], order[^2]) = (order[^2], order[^1]);
            y = new(graph._builder.Node("Transpose", [y.Name], ("perm", Long(order))), [.. order.Select(axis => y.Shape[axis])], IsWhole: false);
        }

        Require(x.Shape[^1] == y.Shape[^2]);
        graph.Add(graph._builder.Node("MatMul", [x.Name, y.Name]), [.. Broadcast(x.Shape[..^2], y.Shape[..^2]), x.Shape[^2], y.Shape[^1]]);
    }

    private static void Transpose(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Length >= 2);
        var order = Enumerable.Range(0, x.Shape.Length).ToArray();
        graph._random.Shuffle(order);
        graph.Add(graph._builder.Node("Transpose", [x.Name], ("perm", Long(order))), [.. order.Select(axis => x.Shape[axis])]);
    }

    private static void Reshape(RandomGraph graph)
    {
        var x = graph.Pick();
        var total = Product(x.Shape);
        Require(total.Rows == 1);
        var factor = graph.Choose(1L, 2L, 3L, 4L);
        Require(total.Factor % factor == 0);
        var rest = new GraphLength(total.Factor / factor, 1);
        GraphLength[] shape;
        switch (graph._random.Next(6))
        {
            case 0:
                shape = [rest, Constant(factor)];
                break;
            case 1:
                shape = [Constant(factor), rest];
                break;
            case 2:
                shape = [new(1, 1), Constant(total.Factor)];
                break;
            case 3:
                shape = [new(1, 1), Constant(factor), Constant(total.Factor / factor)];
                break;
            case 4:
                Require(x.Shape.Length >= 2);
                var merged = graph._random.Next(x.Shape.Length - 1);
                shape = [.. x.Shape[..merged], x.Shape[merged] * x.Shape[merged + 1], .. x.Shape[(merged + 2)..]];
                break;
            default:
                var split = graph._random.Next(x.Shape.Length);
                Require(x.Shape[split].Factor % 2 == 0);
                GraphLength[] pair = [Constant(2), x.Shape[split] with { Factor = x.Shape[split].Factor / 2 }];
                if (graph.Chance(0.6))
                    Array.Reverse(pair);
                shape = [.. x.Shape[..split], .. pair, .. x.Shape[(split + 1)..]];
                break;
        }

        graph.Add(graph._builder.Node("Reshape", [x.Name, graph.ShapeVector(shape, x, mayBeOpen: true)]), shape);
    }

    private static void Flatten(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph._random.Next(x.Shape.Length + 1);
        graph.Add(graph._builder.Node("Flatten", [x.Name], ("axis", (long)axis)), [Product(x.Shape[..axis]), Product(x.Shape[axis..])]);
    }

    private static void Squeeze(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Contains(Constant(1)));
        if (graph.Chance(0.12))
        {
            graph.Add(graph._builder.Node("Squeeze", [x.Name]), [.. x.Shape.Where(length => length != Constant(1))]);
            return;
        }

        var axis = Array.IndexOf(x.Shape, Constant(1));
        graph.Add(graph._builder.Squeeze(x.Name, axis), [.. x.Shape[..axis], .. x.Shape[(axis + 1)..]]);
    }

    private static void Unsqueeze(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Length < 4);
        var axis = graph._random.Next(x.Shape.Length + 1);
        graph.Add(graph._builder.Unsqueeze(x.Name, graph.Negative(axis, x.Shape.Length + 1)), [.. x.Shape[..axis], Constant(1), .. x.Shape[axis..]]);
    }

    private static void Concat(RandomGraph graph)
    {
        var (x, y) = (graph.Pick(), graph.Pick());
        Require(x.Shape.Length == y.Shape.Length && x.Shape.Length > 0);
        var axis = graph.Axis(x);
        Require(x.Shape[axis].IsRows == y.Shape[axis].IsRows && Enumerable.Range(0, x.Shape.Length).All(index => index == axis || x.Shape[index] == y.Shape[index]));
        graph.Add(graph._builder.Node("Concat", [x.Name, y.Name], ("axis", graph.Negative(axis, x.Shape.Length))),
            With(x.Shape, axis, x.Shape[axis] with { Factor = x.Shape[axis].Factor + y.Shape[axis].Factor }));
    }

    private static void Split(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        Require(x.Shape[axis].Factor % 2 == 0);
        (string, object)[] attributes = graph._builder.Opset >= 18 ? [("axis", (long)axis), ("num_outputs", 2L)] : [("axis", (long)axis)];
        foreach (var part in graph._builder.Nodes("Split", "", [x.Name], 2, attributes))
            graph.Add(part, With(x.Shape, axis, x.Shape[axis] with { Factor = x.Shape[axis].Factor / 2 }));
    }

    private static void Slice(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        if (x.Shape[axis].IsRows)
        {
            var isWhole = graph.Chance(0.5);
            graph.Add(graph._builder.Node("Slice", [x.Name, graph._builder.Ints(0), graph._builder.Ints(isWhole ? long.MaxValue : 1), graph._builder.Ints(axis)]),
                isWhole ? x.Shape : With(x.Shape, axis, Constant(1)));
            return;
        }

        var start = graph._random.NextInt64(x.Shape[axis].Factor);
        var end = graph._random.NextInt64(start + 1, x.Shape[axis].Factor + 1);
        graph.Add(graph._builder.Node("Slice", [x.Name, graph._builder.Ints(start), graph._builder.Ints(end), graph._builder.Ints(graph.Negative(axis, x.Shape.Length))]),
            With(x.Shape, axis, Constant(end - start)));
    }

    private static void Gather(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        var index = graph._random.NextInt64(x.Shape[axis].IsRows ? 1 : x.Shape[axis].Factor);
        if (graph.Chance(0.5))
            graph.Add(graph._builder.Node("Gather", [x.Name, graph._builder.Int(index)], ("axis", (long)axis)), [.. x.Shape[..axis], .. x.Shape[(axis + 1)..]]);
        else
            graph.Add(graph._builder.Node("Gather", [x.Name, graph._builder.Ints(index, 0)], ("axis", (long)axis)), With(x.Shape, axis, Constant(2)));
    }

    private static void Embedding(RandomGraph graph)
    {
        var ids = graph.PickWhole();
        if (graph.Chance(0.75))
            graph.Add(graph._builder.Node("Gather", [graph._builder.Weights(3, 4), ids.Name], ("axis", 0L)), [.. ids.Shape, Constant(4)]);
        else
            graph.Add(graph._builder.Node("Gather", [graph._builder.Weights(2, 3), ids.Name], ("axis", 1L)), [Constant(2), .. ids.Shape]);
    }

    private static void Softmax(RandomGraph graph)
    {
        var x = graph.Pick();
        graph.Add(graph._builder.Node(graph.Choose("Softmax", "LogSoftmax"), [x.Name], ("axis", graph.Negative(graph.Axis(x), x.Shape.Length))), x.Shape);
    }

    private static void Reduce(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        var type = graph.Choose("ReduceMean", "ReduceMax", "ReduceSum", "ReduceL2");
        var keeps = graph.Chance(0.5);
        long[] axes = [graph.Negative(axis, x.Shape.Length)];
        var name = graph._builder.Opset >= (type == "ReduceSum" ? 13 : 18)
            ? graph._builder.Node(type, [x.Name, graph._builder.Ints(axes)], ("keepdims", keeps ? 1L : 0L))
            : graph._builder.Node(type, [x.Name], ("axes", axes), ("keepdims", keeps ? 1L : 0L));
        graph.Add(name, keeps ? With(x.Shape, axis, Constant(1)) : [.. x.Shape[..axis], .. x.Shape[(axis + 1)..]]);
    }

    private static void ArgMax(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        graph.Add(graph._builder.Node("Cast", [graph._builder.Node("ArgMax", [x.Name], ("axis", (long)axis), ("keepdims", 0L))], ("to", 1L)), [.. x.Shape[..axis], .. x.Shape[(axis + 1)..]]);
    }

    private static void TopK(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        graph.Add(graph._builder.Nodes("TopK", "", [x.Name, graph._builder.Ints(1)], 2, ("axis", (long)axis))[0], With(x.Shape, axis, Constant(1)));
    }

    private static void CumSum(RandomGraph graph)
    {
        var x = graph.Pick();
        graph.Add(graph._builder.Node("CumSum", [x.Name, graph._builder.Int(graph.Negative(graph.Axis(x), x.Shape.Length))]), x.Shape);
    }

    private static void Expand(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Contains(Constant(1)));
        var axis = Array.IndexOf(x.Shape, Constant(1));
        var shape = With(x.Shape, axis, graph.Chance(0.5) ? new(1, 1) : Constant(2));
        var vector = graph.ShapeVector(shape, graph._values[0], mayBeOpen: false);
        if (graph.Chance(0.5))
        {
            // As exporters write expand(-1, …): Where(shape == -1, 1, shape).
            var ones = graph._builder.Filled(graph._builder.Node("Shape", [vector]), 1L);
            vector = graph._builder.Node("Where", [graph._builder.Node("Equal", [vector, graph._builder.Node("Mul", [ones, graph._builder.Int(-1)])]), ones, vector]);
        }

        graph.Add(graph._builder.Node("Expand", [x.Name, vector]), shape);
    }

    private static void Tile(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Length > 0);
        long[] repeats = [.. x.Shape.Select(length => !length.IsRows || graph.Chance(0.1) ? graph.Choose(1L, 1L, 2L) : 1L)];
        graph.Add(graph._builder.Node("Tile", [x.Name, graph._builder.Ints(repeats)]), [.. x.Shape.Zip(repeats, (length, repeat) => length with { Factor = length.Factor * repeat })]);
    }

    private static void Fill(RandomGraph graph)
    {
        List<GraphLength> shape = [.. graph.Lengths(graph.Choose(0, 1, 2))];
        shape.Insert(graph._random.Next(shape.Count + 1), new(graph.Choose(1L, 1L, 2L), 1));
        var source = graph.Pick(value => value.Shape.Any(length => length.IsRows));
        graph.Add(graph._builder.Filled(graph.ShapeVector([.. shape], source, mayBeOpen: false), .5f), [.. shape]);
    }

    private static void Where(RandomGraph graph)
    {
        var (x, y, z) = (graph.Pick(), graph.Pick(), graph.Pick());
        graph.Add(graph._builder.Node("Where", [graph._builder.Node("Greater", [x.Name, graph._builder.Scalar(0)]), y.Name, z.Name]), Broadcast(Broadcast(x.Shape, y.Shape), z.Shape));
    }

    private static void LayerNormalization(RandomGraph graph)
    {
        Require(graph._builder.Opset >= 17);
        var x = graph.Pick();
        var axis = graph.Axis(x);
        long[] shape = [.. x.Shape[axis..].Select(length => length.IsRows ? 1 : length.Factor)];
        graph.Add(graph._builder.Node("LayerNormalization", [x.Name, graph._builder.Weights(shape)], ("axis", (long)axis)), x.Shape);
    }

    private static void Convolution(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [_, { IsRows: false }, _] or [_, { IsRows: false }, _, _]);
        var axes = x.Shape.Length - 2;
        var (kernel, channels) = (graph.Choose(1L, 3L), graph.Choose(1L, 2L));
        graph.Add(graph._builder.Node("Conv", [x.Name, graph._builder.Weights([channels, x.Shape[1].Factor, .. Enumerable.Repeat(kernel, axes)])],
            ("pads", Enumerable.Repeat(kernel / 2, 2 * axes).ToArray())), [x.Shape[0], Constant(channels), .. x.Shape[2..]]);
    }

    private static void Pool(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape.Length is 3 or 4);
        var axes = x.Shape.Length - 2;
        if (graph.Chance(0.4))
        {
            graph.Add(graph._builder.Node(graph.Choose("GlobalAveragePool", "GlobalMaxPool"), [x.Name]), [.. x.Shape[..2], .. Enumerable.Repeat(Constant(1), axes)]);
            return;
        }

        var results = graph._builder.Nodes("MaxPool", "", [x.Name], 2, ("kernel_shape", Enumerable.Repeat(1L, axes).ToArray()));
        graph.Add(results[0], x.Shape);
        graph.Add(graph._builder.Node("Cast", [results[1]], ("to", 1L)), x.Shape);
    }

    private static void BatchNormalization(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [_, { IsRows: false }, ..]);
        var channels = x.Shape[1].Factor;
        var variance = graph._builder.Constant([channels], [.. Enumerable.Repeat(.7f, (int)channels)]);
        graph.Add(graph._builder.Node("BatchNormalization", [x.Name, graph._builder.Weights(channels), graph._builder.Weights(channels), graph._builder.Weights(channels), variance]), x.Shape);
    }

    private static void InstanceNormalization(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [_, { IsRows: false }, _, ..]);
        graph.Add(graph._builder.Node("InstanceNormalization", [x.Name, graph._builder.Weights(x.Shape[1].Factor), graph._builder.Weights(x.Shape[1].Factor)]), x.Shape);
    }

    private static void Recurrent(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [_, _, { IsRows: false }]);
        var (type, gates) = graph.Choose(("LSTM", 4L), ("GRU", 3L), ("RNN", 1L));
        const long Hidden = 2;
        List<string> inputs = [x.Name, graph._builder.Weights(1, gates * Hidden, x.Shape[2].Factor), graph._builder.Weights(1, gates * Hidden, Hidden)];
        if (graph.Chance(0.4) && x.Shape[1].IsRows)
            inputs.AddRange(["", "", graph._builder.Filled(graph.ShapeVector([Constant(1), x.Shape[1], Constant(Hidden)], x, mayBeOpen: false), .3f)]);
        var results = graph._builder.Nodes(type, "", [.. inputs], 2, ("hidden_size", Hidden));
        graph.Add(results[0], [x.Shape[0], Constant(1), x.Shape[1], Constant(Hidden)]);
        graph.Add(results[1], [Constant(1), x.Shape[1], Constant(Hidden)]);
    }

    private static void Pad(RandomGraph graph)
    {
        var x = graph.Pick();
        var axis = graph.Axis(x);
        Require(!x.Shape[axis].IsRows);
        var pads = new long[2 * x.Shape.Length];
        pads[axis] = 1;
        graph.Add(graph._builder.Node("Pad", [x.Name, graph._builder.Ints(pads)]), With(x.Shape, axis, Constant(x.Shape[axis].Factor + 1)));
    }

    private static void Resize(RandomGraph graph)
    {
        var x = graph.Pick(value => value.Shape is [_, _, { IsRows: false }, { IsRows: false }]);
        graph.Add(graph._builder.Node("Resize", [x.Name, "", graph._builder.Constant([4], 1, 1, 2, 1)], ("mode", "nearest")), With(x.Shape, 2, Constant(x.Shape[2].Factor * 2)));
    }

    private static void GatherElements(RandomGraph graph)
    {
        var ids = graph.PickWhole();
        var x = graph.Pick(value => value.Shape.Length == ids.Shape.Length && value.Shape.Length >= 2);
        graph.Add(graph._builder.Node("GatherElements", [x.Name, graph._builder.Node("Mod", [ids.Name, graph._builder.Int(1)])], ("axis", (long)graph.Axis(x))), ids.Shape);
    }

    private static void GatherNd(RandomGraph graph)
    {
        var ids = graph.PickWhole();
        Require(ids.Shape is [_, { IsRows: false }]);
        var x = graph.Pick(value => value.Shape.Length >= 2);
        var indexed = graph.Choose(0, 1) is var batch ? batch + (int)ids.Shape[1].Factor : 0;
        Require(indexed <= x.Shape.Length);
        graph.Add(graph._builder.Node("GatherND", [x.Name, graph._builder.Node("Mod", [ids.Name, graph._builder.Int(1)])], ("batch_dims", (long)batch)), [ids.Shape[0], .. x.Shape[indexed..]]);
    }

    private static void OneHot(RandomGraph graph)
    {
        var ids = graph.PickWhole();
        var axis = graph._random.Next(ids.Shape.Length + 1);
        graph.Add(graph._builder.Node("OneHot", [ids.Name, graph._builder.Int(3), graph._builder.Constant([2], 0, 1)], ("axis", (long)axis)),
            [.. ids.Shape[..axis], Constant(3), .. ids.Shape[axis..]]);
    }

    private static void Einsum(RandomGraph graph)
    {
        var (x, y) = (graph.Pick(value => value.Shape.Length is 1 or 2 or 3), graph.Pick(value => value.Shape.Length is 1 or 2 or 3));
        var left = "abc"[..x.Shape.Length];
        var right = "";
        for (var index = 0; index < y.Shape.Length; index++)
        {
            var shared = left.FirstOrDefault(letter => x.Shape[left.IndexOf(letter, StringComparison.Ordinal)] == y.Shape[index] && !right.Contains(letter, StringComparison.Ordinal));
            right += shared != default && graph.Chance(0.7) ? shared : "def"[index];
        }

        Dictionary<char, GraphLength> lengths = [];
        foreach (var (letter, length) in left.Zip(x.Shape).Concat(right.Zip(y.Shape)))
            lengths[letter] = length;
        char[] result = [.. lengths.Keys.Where(_ => graph.Chance(0.7))];
        Require(result.Length > 0);
        graph.Add(graph._builder.Node("Einsum", [x.Name, y.Name], ("equation", $"{left},{right}->{new string(result)}")), [.. result.Select(letter => lengths[letter])]);
    }

    private static void Trilu(RandomGraph graph)
    {
        Require(graph._builder.Opset >= 14);
        var x = graph.Pick(value => value.Shape.Length >= 2);
        graph.Add(graph._builder.Node("Trilu", [x.Name], ("upper", graph.Choose(0L, 1L))), x.Shape);
    }

    private static void Quantize(RandomGraph graph)
    {
        var x = graph.Pick();
        var (scale, zero) = (graph._builder.Scalar(.02f), graph._builder.Bytes(2, 128));
        graph.Add(graph._builder.Node("DequantizeLinear", [graph._builder.Node("QuantizeLinear", [x.Name, scale, zero]), scale, zero]), x.Shape);
    }

    private static void DynamicQuantize(RandomGraph graph)
    {
        var x = graph.Pick();
        graph.Add(graph._builder.Node("DequantizeLinear", graph._builder.Nodes("DynamicQuantizeLinear", "", [x.Name], 3)), x.Shape);
    }

    private static void LpNormalization(RandomGraph graph)
    {
        var x = graph.Pick();
        graph.Add(graph._builder.Node("LpNormalization", [x.Name], ("axis", (long)graph.Axis(x))), x.Shape);
    }

    private static void MultipliedByRowCount(RandomGraph graph)
    {
        Require(graph.Chance(0.4));
        var x = graph.Pick();
        graph.Add(graph._builder.Node("Mul", [x.Name, graph._builder.Node("Cast", [graph._builder.Length(graph._values[0].Name, 0)], ("to", 1L))]), x.Shape);
    }

    private static void ArangeValue(RandomGraph graph)
    {
        Require(graph.Chance(0.5));
        var rows = graph._builder.Length(graph._values[0].Name, 0);
        graph.Add(graph._builder.Node("Cast", [graph._builder.Node("Range", [graph._builder.Int(0), rows, graph._builder.Int(1)])], ("to", 1L)), [new(1, 1)]);
    }

    private static void Branch(RandomGraph graph)
    {
        var x = graph.Pick();
        var condition = graph.Chance(0.5) ? graph._builder.Bytes(9, 1)
            : graph._builder.Node("Equal", [graph._builder.Length(graph._values[0].Name, 0), graph._builder.Int(graph.Choose(1L, 2L))]);
        graph.Add(graph._builder.If(condition, x.Name, "Relu", "Neg"), x.Shape);
    }

    private static void Scatter(RandomGraph graph)
    {
        var ids = graph.PickWhole();
        var (x, updates) = (graph.Pick(value => value.Shape.Length >= 2), graph.Pick(value => value.Shape.AsSpan().SequenceEqual(ids.Shape)));
        Require(x.Shape.Length == ids.Shape.Length);
        graph.Add(graph._builder.Node("ScatterElements", [x.Name, graph._builder.Node("Mod", [ids.Name, graph._builder.Int(1)]), updates.Name], ("axis", (long)graph.Axis(x))), x.Shape);
    }

    private static long[] Long(int[] values) => [.. values.Select(value => (long)value)];

    private static GraphLength[] With(GraphLength[] shape, int axis, GraphLength length)
    {
        GraphLength[] changed = [.. shape];
        changed[axis] = length;
        return changed;
    }

    private static void Require(bool isPossible)
    {
        if (!isPossible)
            throw new StepNotPossibleException();
    }

    /// <summary>Adds a vector of lengths; multiples of the rows are taken from the shape of a value that has them.</summary>
    private string ShapeVector(GraphLength[] shape, Value source, bool mayBeOpen)
    {
        var open = mayBeOpen && Chance(0.4) ? _random.Next(shape.Length) : -1;
        var parts = new string[shape.Length];
        for (var index = 0; index < shape.Length; index++)
        {
            if (index == open || !shape[index].IsRows)
            {
                parts[index] = _builder.Ints(index == open ? -1 : shape[index].Factor);
                continue;
            }

            var dimension = Array.FindIndex(source.Shape, length => length.IsRows);
            Require(dimension >= 0 && shape[index].Rows == 1);
            var (have, want) = (source.Shape[dimension].Factor, shape[index].Factor);
            var length = _builder.Length(source.Name, dimension);
            Require(want % have == 0 || have % want == 0);
            if (want > have)
                length = _builder.Node("Mul", [length, _builder.Int(want / have)]);
            else if (have > want)
                length = _builder.Node("Div", [length, _builder.Int(have / want)]);
            parts[index] = _builder.Unsqueeze(length, 0);
        }

        return parts.Length == 1 ? parts[0] : _builder.Node("Concat", parts, ("axis", 0L));
    }

    private void Add(string name, GraphLength[] shape)
    {
        Require(shape.All(length => length.Rows <= 1) && shape.Aggregate(1L, static (size, length) => size * length.Factor) <= 4096);
        _values.Add(new(name, shape, IsWhole: false));
    }

    private Value Pick(Func<Value, bool>? filter = null) => PickFrom([.. _values.Where(value => !value.IsWhole && (filter is null || filter(value)))]);

    private Value PickWhole() => PickFrom([.. _values.Where(value => value.IsWhole)]);

    // Mostly one of the newest, so that steps build on each other.
    private Value PickFrom(Value[] candidates)
    {
        Require(candidates.Length > 0);
        return Chance(0.75) ? candidates[_random.Next(Math.Max(0, candidates.Length - 4), candidates.Length)] : candidates[_random.Next(candidates.Length)];
    }

    // Mostly not that of the rows.
    private int Axis(Value value)
    {
        Require(value.Shape.Length > 0);
        int[] others = [.. Enumerable.Range(0, value.Shape.Length).Where(index => !value.Shape[index].IsRows)];
        return others.Length > 0 && Chance(0.85) ? others[_random.Next(others.Length)] : _random.Next(value.Shape.Length);
    }

    private GraphLength[] Lengths(int count) => [.. Enumerable.Range(0, count).Select(_ => Constant(Choose(1L, 2L, 2L, 3L, 4L)))];

    private long Negative(int axis, int rank) => Chance(0.3) ? axis - rank : axis;

    private bool Chance(double probability) => _random.NextDouble() < probability;

    private T Choose<T>(params T[] options) => options[_random.Next(options.Length)];

    private sealed record Value(string Name, GraphLength[] Shape, bool IsWhole);

    private sealed class StepNotPossibleException : Exception;
}
