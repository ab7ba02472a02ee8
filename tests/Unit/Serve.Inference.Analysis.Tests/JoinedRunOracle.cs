using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Serve.Inference.Analysis.Tests;

/// <summary>What ONNX Runtime says of joining requests to a model.</summary>
public enum JoinOutcome
{
    /// <summary>Joined runs returned the same results as separate runs.</summary>
    Equal,

    /// <summary>A joined run gave a request something else, or failed where the requests alone do not.</summary>
    Different,

    /// <summary>The model cannot be loaded, or none of the requests runs alone.</summary>
    NotRunnable,
}

/// <summary>Runs a model for requests of several row counts alone, for each row alone, and for all joined, and compares.</summary>
public static class JoinedRunOracle
{
    private const double Tolerance = 1e-3;

    private static readonly int[][] RequestSizes = [[1, 1], [1, 1, 1], [2, 1], [1, 2], [2, 2], [1, 3, 2]];

    public static (JoinOutcome Outcome, string Detail) Check(byte[] model, IReadOnlyList<GraphInput> inputs, IReadOnlyCollection<string> wholeOutputs)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        InferenceSession session;
        try
        {
            session = new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException thrown)
        {
            return (JoinOutcome.NotRunnable, thrown.Message);
        }

        using (session)
        {
            var (ran, detail) = (false, "");
            for (var seed = 0; seed < RequestSizes.Length; seed++)
            {
                var sizes = RequestSizes[seed];
                var requests = sizes.Select((size, index) => inputs.Select(input => Draw(input, size, new Random((seed * 7919) + (index * 31) + input.Name.Length))).ToArray()).ToList();
                Dictionary<string, Result>[] alone;
                try
                {
                    alone = [.. requests.Select((request, index) => Run(session, inputs, request, sizes[index]))];
                }
                catch (OnnxRuntimeException thrown)
                {
                    detail = thrown.Message;
                    continue;
                }

                ran = true;
                if (CompareJoined(session, inputs, requests, sizes, alone, wholeOutputs) is { } difference)
                    return (JoinOutcome.Different, $"{string.Join('+', sizes)} rows: {difference}");
            }

            return (ran ? JoinOutcome.Equal : JoinOutcome.NotRunnable, detail);
        }
    }

    private static string? CompareJoined(InferenceSession session, IReadOnlyList<GraphInput> inputs, List<double[][]> requests, int[] sizes, Dictionary<string, Result>[] alone,
        IReadOnlyCollection<string> wholeOutputs)
    {
        double[][] joined = [.. inputs.Select((_, input) => requests.SelectMany(request => request[input]).ToArray())];
        try
        {
            return Compare(Run(session, inputs, joined, sizes.Sum()), alone, sizes, wholeOutputs);
        }
        catch (OnnxRuntimeException thrown)
        {
            return "the joined run fails: " + thrown.Message;
        }
    }

    private static string? Compare(Dictionary<string, Result> joined, Dictionary<string, Result>[] alone, int[] sizes, IReadOnlyCollection<string> wholeOutputs)
    {
        foreach (var (name, all) in joined)
        {
            if (wholeOutputs.Contains(name))
            {
                if (alone.Any(part => !part[name].Shape.SequenceEqual(all.Shape) || FirstDifference(part[name].Values, all.Values) is not null))
                    return $"output {name} is not the same for all requests";
                continue;
            }

            if (all.Shape.Length == 0 || all.Shape[0] != sizes.Sum())
                return $"output {name} has shape [{string.Join(',', all.Shape)}]";
            var inner = all.Shape.Skip(1).Aggregate(1, static (product, length) => product * length);
            var start = 0;
            for (var index = 0; index < alone.Length; index++)
            {
                var part = alone[index][name];
                if (part.Shape.Length != all.Shape.Length || part.Shape[0] != sizes[index] || !part.Shape.Skip(1).SequenceEqual(all.Shape.Skip(1)))
                    return $"output {name} has shape [{string.Join(',', part.Shape)}] alone and [{string.Join(',', all.Shape)}] joined";
                var count = sizes[index] * inner;
                if (FirstDifference(part.Values, all.Values.AsSpan(start, count)) is { } difference)
                    return $"output {name}: {difference}";
                start += count;
            }
        }

        return null;
    }

    private static string? FirstDifference(double[] alone, ReadOnlySpan<double> joined)
    {
        for (var index = 0; index < alone.Length; index++)
        {
            var (a, b) = (alone[index], joined[index]);
            if (!a.Equals(b) && !(Math.Abs(a - b) <= Tolerance * (1e-2 + Math.Max(Math.Abs(a), Math.Abs(b)))))
                return string.Create(CultureInfo.InvariantCulture, $"{a} alone, {b} joined");
        }

        return null;
    }

    private static double[] Draw(GraphInput input, int rows, Random random)
    {
        var values = new double[rows * input.Inner.Aggregate(1L, static (product, length) => product * length)];
        foreach (ref var value in values.AsSpan())
            value = input.Limit is { } limit ? random.Next(limit) : (float)((random.NextDouble() * 2) - 1);
        return values;
    }

    private static Dictionary<string, Result> Run(InferenceSession session, IReadOnlyList<GraphInput> inputs, double[][] values, int rows)
    {
        List<NamedOnnxValue> given = [];
        for (var index = 0; index < inputs.Count; index++)
        {
            int[] shape = [rows, .. inputs[index].Inner.Select(length => (int)length)];
            given.Add(inputs[index].Limit is null
                ? NamedOnnxValue.CreateFromTensor(inputs[index].Name, new DenseTensor<float>(values[index].Select(value => (float)value).ToArray(), shape))
                : NamedOnnxValue.CreateFromTensor(inputs[index].Name, new DenseTensor<long>(values[index].Select(value => (long)value).ToArray(), shape)));
        }

        using var results = session.Run(given);
        return results.ToDictionary(result => result.Name, result => result.Value switch
        {
            Tensor<float> tensor => new Result(tensor.Dimensions.ToArray(), [.. tensor.Select(value => (double)value)]),
            Tensor<long> tensor => new Result(tensor.Dimensions.ToArray(), [.. tensor.Select(value => (double)value)]),
            _ => throw new InvalidOperationException($"Output {result.Name} has an element type that is not compared."),
        });
    }

    private sealed record Result(int[] Shape, double[] Values);
}
